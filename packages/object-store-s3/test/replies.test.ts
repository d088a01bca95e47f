import { crc32 } from 'node:zlib'
import { HANG, LOST_REQUEST, startFaultProxy } from '@firn/local-services'
import { describe, expect, test } from 'vitest'
import type { S3ObjectStore } from '../src/index.js'
import { type Answering, rejection, startAnswering, storeAt } from './answering-server.ts'

const content = Uint8Array.from({ length: 100 }, (_, i) => i)

async function answering<T>(
  answer: Answering,
  act: (store: S3ObjectStore) => Promise<T>,
): Promise<T> {
  const server = await startAnswering(answer)
  const store = storeAt(server.endpoint)
  try {
    return await act(store)
  } finally {
    await store.close()
    await server.close()
  }
}

async function keysOf(list: AsyncIterable<{ key: string }>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}

function checksumOf(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(bytes))
  return sum.toString('base64')
}

describe('26: answers that are not to be believed', () => {
  const ranged = { etag: '"x"', 'content-range': 'bytes 10-19/100', 'content-length': '10' }
  const lies: [string, number, Record<string, string>, number][] = [
    ['another range', 206, { ...ranged, 'content-range': 'bytes 11-20/100' }, 10],
    ['a shorter range', 206, { ...ranged, 'content-range': 'bytes 10-18/100' }, 10],
    ['a longer range', 206, { ...ranged, 'content-range': 'bytes 10-20/100' }, 10],
    ['no Content-Range', 206, { etag: '"x"', 'content-length': '10' }, 10],
    ['a Content-Range without a size', 206, { ...ranged, 'content-range': 'bytes 10-19/*' }, 10],
    ['a Content-Range past its size', 206, { ...ranged, 'content-range': 'bytes 10-19/15' }, 10],
    ['fewer bytes than its range', 206, { ...ranged, 'content-length': '9' }, 9],
    ['more bytes than its range', 206, { ...ranged, 'content-length': '11' }, 11],
    ['everything', 200, { etag: '"x"', 'content-length': '100' }, 100],
    ['no ETag', 206, { ...ranged, etag: '' }, 10],
  ]
  for (const [what, status, headers, length] of lies) {
    test(`refuses one with ${what}`, async () => {
      const error = await answering(
        (_, response) => void response.writeHead(status, headers).end(content.subarray(0, length)),
        (store) => rejection(store.get('k', { range: { start: 10, end: 20 } })),
      )
      const expected = { code: 'FIRN_OBJECT_STORE', reason: 'bad-reply', retryable: true }
      expect(error).toMatchObject(expected)
    })
  }

  test('refuses one that is longer than its range without reading it', async () => {
    const error = await answering(
      (_, response) => {
        response.writeHead(206, { ...ranged, 'content-length': '1000000000' })
        response.write(content)
      },
      (store) => rejection(store.get('k', { range: { start: 10, end: 20 } })),
    )
    expect(error).toMatchObject({ reason: 'bad-reply', retryable: true })
  })

  test('takes the answer that all of these are not', async () => {
    const object = await answering(
      (_, response) => void response.writeHead(206, ranged).end(content.subarray(10, 20)),
      (store) => store.get('k', { range: { start: 10, end: 20 } }),
    )
    const bytes = new Uint8Array(content.subarray(10, 20))
    expect(object).toEqual({ key: 'k', size: 100, etag: 'x', offset: 10, bytes })
  })

  test('refuses a part of an object where all of it was asked for', async () => {
    const error = await answering(
      (_, response) => void response.writeHead(206, ranged).end(content.subarray(10, 20)),
      (store) => rejection(store.get('k')),
    )
    expect(error).toMatchObject({ reason: 'bad-reply', retryable: true })
  })

  test('finds out about a changed object from a server that ignores If-Match', async () => {
    const error = await answering(
      (_, response) => void response.writeHead(200, { etag: '"new"' }).end(content),
      (store) => rejection(store.get('k', { ifMatch: 'old' })),
    )
    expect(error).toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
  })

  test('refuses bytes that their checksum does not fit', async () => {
    const headers = { etag: '"x"', 'content-length': '100' }
    const reply = (sent: Uint8Array) =>
      answering(
        (_, response) => {
          const sum = { 'x-amz-checksum-crc32': checksumOf(content) }
          response.writeHead(200, { ...headers, ...sum }).end(sent)
        },
        (store) => store.get('k').then(({ bytes }) => bytes),
      )
    expect(await reply(content)).toEqual(content)
    const damaged = new Uint8Array(content)
    damaged[50] = 0
    expect(await rejection(reply(damaged))).toMatchObject({
      reason: 'bad-reply',
      retryable: true,
      message: expect.stringContaining('checksum'),
    })
  })

  for (const checksum of [false, true]) {
    const how = checksum ? ', with a checksum' : ''
    test(`refuses a body that breaks off${how}`, async () => {
      const error = await answering(
        (_, response) => {
          const sum = checksum ? { 'x-amz-checksum-crc32': checksumOf(content) } : {}
          response.writeHead(200, { etag: '"x"', 'content-length': '100', ...sum })
          response.write(content.subarray(0, 50), () => response.destroy())
        },
        (store) => rejection(store.get('k')),
      )
      expect(error).toMatchObject({ reason: 'unavailable', retryable: true })
    })
  }

  const listings: [string, string][] = [
    ['breaks off', '<?xml version="1.0"?><ListBucketResult><Contents><Key>a</Key>'],
    ['is no XML', '<html><body>Welcome to the hotel network<br></body></html>'],
    ['has an object without a size', listing('<Contents><Key>a</Key><ETag>x</ETag></Contents>')],
    ['is not in order', listing(`${listed('b')}${listed('a')}`)],
    ['says an object twice', listing(`${listed('a')}${listed('a')}`)],
    ['goes on nowhere', listing(`<IsTruncated>true</IsTruncated>${listed('a')}`)],
  ]
  for (const [what, body] of listings) {
    test(`refuses a list that ${what}`, async () => {
      const error = await answering(
        (_, response) =>
          void response.writeHead(200, { 'content-type': 'application/xml' }).end(body),
        (store) => rejection(keysOf(store.list())),
      )
      expect(error).toMatchObject({
        code: 'FIRN_OBJECT_STORE',
        reason: 'bad-reply',
        retryable: true,
      })
    })
  }

  test('refuses a write without an ETag', async () => {
    const error = await answering(
      (_, response) => void response.writeHead(200).end(),
      (store) => rejection(store.put('k', content)),
    )
    expect(error).toMatchObject({ reason: 'bad-reply', retryable: true })
  })
})

describe('42: answers that do not come', () => {
  const calls: [string, (store: S3ObjectStore, signal?: AbortSignal) => Promise<unknown>][] = [
    ['get', (store, signal) => store.get('k', { signal })],
    ['head', (store, signal) => store.head('k', { signal })],
    ['put', (store, signal) => store.put('k', content, { signal })],
    ['delete', (store, signal) => store.delete('k', { signal })],
    ['delete of many', (store, signal) => store.delete(['k', 'l'], { signal })],
    ['list', (store, signal) => store.list({ signal })[Symbol.asyncIterator]().next()],
  ]
  for (const [what, call] of calls) {
    test(`ends a ${what} that is aborted while it waits`, async () => {
      const abort = new AbortController()
      const reason = new Error('enough')
      const server = await startFaultProxy('http://127.0.0.1:1', () => {
        abort.abort(reason)
        return HANG
      })
      const store = storeAt(server.endpoint)
      expect(await rejection(call(store, abort.signal))).toBe(reason)
      await store.close()
      await server.stop()
    })

    test(`ends a ${what} when the network or the server has gone silent`, async () => {
      const server = await startFaultProxy('http://127.0.0.1:1', () => HANG)
      const requestHandler = { socketTimeout: 50 }
      const store = storeAt(server.endpoint, { clientConfig: { requestHandler } })
      const error = await rejection(call(store))
      expect(error).toMatchObject({ reason: 'timeout', retryable: true })
      await store.close()
      await server.stop()
    })

    test(`ends a ${what} whose connection breaks`, async () => {
      const server = await startFaultProxy('http://127.0.0.1:1', () => LOST_REQUEST)
      const store = storeAt(server.endpoint)
      const error = await rejection(call(store))
      expect(error).toMatchObject({ reason: 'unavailable', retryable: true })
      expect(server.requests).toBe(1)
      await store.close()
      await server.stop()
    })
  }

  test('ends a read that is aborted in the middle of its body', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const error = await answering(
      (_, response) => {
        response.writeHead(200, { etag: '"x"', 'content-length': '100' })
        response.write(content.subarray(0, 50), () => abort.abort(reason))
      },
      (store) => rejection(store.get('k', { signal: abort.signal })),
    )
    expect(error).toBe(reason)
  })

  test('ends a read whose body goes silent', async () => {
    const server = await startAnswering((_, response) => {
      response.writeHead(200, { etag: '"x"', 'content-length': '100' })
      response.write(content.subarray(0, 50))
    })
    const store = storeAt(server.endpoint, {
      clientConfig: { requestHandler: { socketTimeout: 50 } },
    })
    expect(await rejection(store.get('k'))).toMatchObject({ reason: 'timeout', retryable: true })
    await store.close()
    await server.close()
  })

  test('41: ends what is under way when the store closes', async () => {
    const server = await startFaultProxy('http://127.0.0.1:1', () => {
      void store.close()
      return HANG
    })
    const store = storeAt(server.endpoint)
    expect(await rejection(store.get('k'))).toMatchObject({ code: 'FIRN_CLOSED' })
    await server.stop()
  })
})

function listed(key: string): string {
  return `<Contents><Key>${key}</Key><Size>1</Size><ETag>&quot;x&quot;</ETag></Contents>`
}

function listing(contents: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${contents}</ListBucketResult>`
}
