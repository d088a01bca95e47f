import type { ServerResponse } from 'node:http'
import { S3Client } from '@aws-sdk/client-s3'
import { outputOf } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { S3ObjectStore, type S3Request } from '../src/index.js'
import { type AnsweringServer, rejection, startAnswering, storeAt } from './answering-server.ts'

const config = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'a-secret' },
}

/** A server that holds back its answers, and records the requests so far. */
class Holding {
  readonly asked: string[] = []
  readonly #answers: ServerResponse[] = []
  #server: AnsweringServer | undefined
  #onAsked: () => void = () => {}

  static async start(): Promise<Holding> {
    const holding = new Holding()
    holding.#server = await startAnswering(({ method = '', url = '' }, response) => {
      holding.asked.push(`${method} ${url.slice(url.lastIndexOf('/') + 1).replace(/\?.*/, '')}`)
      holding.#answers.push(response)
      holding.#onAsked()
    })
    return holding
  }

  get endpoint(): string {
    return this.#server?.endpoint ?? ''
  }

  /** Resolves after this many requests have come. */
  async until(requests: number): Promise<void> {
    while (this.asked.length < requests) {
      await new Promise<void>((resolve) => {
        this.#onAsked = resolve
      })
    }
  }

  /** Answers the request that has waited longest, or only begins its answer. */
  answer(body = 'v', { whole = true } = {}): ServerResponse {
    const response = this.#answers.shift()
    if (response === undefined) throw new Error('nothing was asked')
    response.writeHead(200, { etag: '"x"', 'content-length': String(body.length) })
    if (whole) response.end(body)
    else response.write(body.slice(0, -1))
    return response
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }
}

describe('more requests at once than there are connections', () => {
  test('all get their answers, however late, without a warning', async () => {
    const program = `
      import http from 'node:http'
      import { S3ObjectStore } from '@firn/object-store-s3'
      const server = http.createServer((request, response) => {
        setTimeout(() => response.writeHead(200, { etag: '"x"', 'content-length': '1' }).end('v'), 150)
      })
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
      const agent = { keepAlive: true, maxSockets: 4 }
      const store = new S3ObjectStore({
        bucket: 'a-bucket',
        connections: 4,
        clientConfig: {
          ...${JSON.stringify(config)},
          endpoint: 'http://127.0.0.1:' + server.address().port,
          requestHandler: {
            connectionTimeout: 500, socketAcquisitionWarningTimeout: 100, httpAgent: agent, httpsAgent: agent,
          },
        },
      })
      const results = await Promise.allSettled(Array.from({ length: 40 }, () => store.get('k')))
      console.log(results.filter(({ status }) => status === 'fulfilled').length)
      await store.close()
      server.close()
    `
    expect(await outputOf(program, { from: import.meta.dirname })).toBe('40\n')
  })

  test('are sent one after the other, and one that is given up at once never', async () => {
    const server = await Holding.start()
    const requests: S3Request[] = []
    const store = storeAt(server.endpoint, {
      connections: 2,
      onRequest: (request) => requests.push(request),
    })
    const giveUp = new AbortController()
    const gets = ['a', 'b', 'c'].map((key) => store.get(key))
    const given = store.get('d', { signal: giveUp.signal })
    const last = store.get('e')
    await server.until(2)
    const reason = new Error('enough')
    giveUp.abort(reason)
    expect(await rejection(given)).toBe(reason)
    expect(requests).toEqual([])
    for (let i = 3; i <= 4; i++) {
      server.answer()
      await server.until(i)
    }
    expect([...server.asked.slice(0, 2).sort(), ...server.asked.slice(2)]).toEqual([
      'GET a',
      'GET b',
      'GET c',
      'GET e',
    ])
    server.answer()
    server.answer()
    await Promise.all([...gets, last])
    expect(requests).toHaveLength(4)
    await store.close()
    await server.close()
  })

  test('wait for a connection until an answer was read, or broke off', async () => {
    const server = await Holding.start()
    const store = storeAt(server.endpoint, { connections: 1 })
    const first = store.get('a')
    const second = store.get('b')
    await server.until(1)
    const response = server.answer('value', { whole: false })
    // The rest of the answer is under way: no other request is sent meanwhile.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(server.asked).toEqual(['GET a'])
    response.destroy()
    expect(await rejection(first)).toMatchObject({ code: 'FIRN_OBJECT_STORE', retryable: true })
    await server.until(2)
    server.answer()
    await second
    await store.close()
    await server.close()
  })

  test('let urgent ones go first, for which a connection is kept', async () => {
    const server = await Holding.start()
    const store = storeAt(server.endpoint, { connections: 8 })
    const reads = Array.from({ length: 20 }, () => store.get('read'))
    await server.until(7)
    const puts = [1, 2].map((i) => store.put(`commit${i}`, new Uint8Array(1), { urgent: true }))
    await server.until(8)
    expect(server.asked.at(-1)).toBe('PUT commit1')
    server.answer()
    await server.until(9)
    expect(server.asked.at(-1)).toBe('PUT commit2')
    for (let answered = 1; answered < 22; answered++) {
      await server.until(answered + 1)
      server.answer()
    }
    await Promise.all([...reads, ...puts])
    await store.close()
    await server.close()
  })

  test('share the connections of a client that was given to several stores', async () => {
    const server = await Holding.start()
    const client = new S3Client({
      ...config,
      endpoint: server.endpoint,
      forcePathStyle: true,
      maxAttempts: 1,
    })
    const stores = ['x', 'y'].map(
      (prefix) => new S3ObjectStore({ bucket: 'a-bucket', prefix, client, connections: 1 }),
    )
    const gets = stores.map((store) => store.get('k'))
    await server.until(1)
    server.answer()
    await gets[0]
    await server.until(2)
    server.answer()
    await gets[1]
    for (const store of stores) await store.close()
    client.destroy()
    await server.close()
  })

  test('end with the store', async () => {
    const server = await Holding.start()
    const store = storeAt(server.endpoint, { connections: 1 })
    const gets = [store.get('a'), store.get('b'), store.get('c')].map(rejection)
    await server.until(1)
    await store.close()
    for (const error of await Promise.all(gets))
      expect(error).toMatchObject({ code: 'FIRN_CLOSED' })
    expect(server.asked).toEqual(['GET a'])
    await server.close()
  })
})
