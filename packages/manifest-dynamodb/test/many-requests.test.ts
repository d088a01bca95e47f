import { once } from 'node:events'
import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemEnv, ulid } from '@firn/env'
import { outputOf } from '@firn/test-support'
import { expect, test } from 'vitest'
import { DynamoDbCommitLog, type DynamoDbRequest } from '../src/index.js'
import { createDynamoDbClient } from '../src/node.js'

const config = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'a-secret' },
}

const NOTHING =
  '{"Items":[],"Count":0,"ScannedCount":0,"ConsumedCapacity":{"TableName":"t","CapacityUnits":1}}'

test('more requests at once than there are connections all get their answers, however late, without a warning', async () => {
  const program = `
    import http from 'node:http'
    import { systemEnv, ulid } from '@firn/env'
    import { DynamoDbCommitLog } from '@firn/manifest-dynamodb'
    import { createDynamoDbClient } from '@firn/manifest-dynamodb/node'
    const server = http.createServer((request, response) => {
      request.resume()
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('${NOTHING}'), 150)
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const agent = { keepAlive: true, maxSockets: 4 }
    const client = createDynamoDbClient({
      ...${JSON.stringify(config)},
      endpoint: 'http://127.0.0.1:' + server.address().port,
      requestHandler: {
        connectionTimeout: 500, socketAcquisitionWarningTimeout: 100, httpAgent: agent, httpsAgent: agent,
      },
    })
    const log = new DynamoDbCommitLog({
      client, tableName: 't', incarnation: ulid(systemEnv), connections: 4, requestTimeoutMs: 1000,
    })
    const read = async () => {
      for await (const entry of log.readAfter(0)) throw new Error('an entry')
    }
    const results = await Promise.allSettled(Array.from({ length: 40 }, read))
    console.log(results.filter(({ status }) => status === 'fulfilled').length)
    await log.close()
    client.destroy()
    server.close()
  `
  expect(await outputOf(program, { from: import.meta.dirname })).toBe('40\n')
})

test('a commit goes ahead of reads that wait, and a read that is given up is never sent', async () => {
  const asked: string[] = []
  const answers: ServerResponse[] = []
  let onAsked = (): void => {}
  const server = http.createServer((request, response) => {
    request.resume()
    asked.push(String(request.headers['x-amz-target']).replace(/.*\./, ''))
    answers.push(response)
    onAsked()
  })
  const until = async (requests: number): Promise<void> => {
    while (asked.length < requests) {
      await new Promise<void>((resolve) => {
        onAsked = resolve
      })
    }
  }
  const answer = (): void => {
    answers.shift()?.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(NOTHING)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createDynamoDbClient({ ...config, endpoint })
  const requests: DynamoDbRequest[] = []
  const log = new DynamoDbCommitLog({
    client,
    tableName: 't',
    incarnation: ulid(systemEnv),
    connections: 1,
    onRequest: (request) => requests.push(request),
  })
  const read = async (signal?: AbortSignal): Promise<void> => {
    for await (const entry of log.readAfter(0, { signal }))
      throw new Error(`entry ${entry.version}`)
  }
  const giveUp = new AbortController()
  const reads = [read(), read(), read()]
  await until(1)
  const given = read(giveUp.signal)
  const append = log.append({
    version: 1,
    timestamp: 1,
    token: ulid(systemEnv),
    payload: new Uint8Array(1),
  })
  const reason = new Error('enough')
  giveUp.abort(reason)
  await expect(given).rejects.toBe(reason)
  for (let answered = 1; answered <= 4; answered++) {
    await until(answered)
    answer()
  }
  expect(await append).toEqual({ appended: true })
  await Promise.all(reads)
  expect(asked).toEqual(['Query', 'PutItem', 'Query', 'Query'])
  await systemEnv.yield()
  expect(requests.map(({ kind }) => kind)).toEqual(['query', 'put', 'query', 'query'])
  await log.close()
  client.destroy()
  server.close()
})
