import { InvalidArgumentError } from '@firn/env'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectStoreConformance } from '../src/conformance.js'
import { HttpObjectStore } from '../src/http.js'
import { type ObjectServer, startObjectServer } from './object-server.js'

const servers = {
  'a full server': {},
  'a server without ranges': { ranges: false },
  'a server without etags': { etags: false },
  'a server without HEAD': { head: false },
  'a server without ranges and lengths': { ranges: false, lengths: false },
}

for (const [name, how] of Object.entries(servers)) {
  objectStoreConformance(
    `HttpObjectStore on ${name}`,
    async () => {
      const server = await startObjectServer({ ...how })
      return {
        store: new HttpObjectStore(server.url),
        seed: async (key, bytes) => void server.objects.set(key, new Uint8Array(bytes)),
        dispose: () => server.close(),
      }
    },
    { writes: false, lists: false },
  )
}

describe('HttpObjectStore', () => {
  let server: ObjectServer
  let store: HttpObjectStore
  const content = Uint8Array.from({ length: 100 }, (_, i) => i)
  beforeAll(async () => {
    server = await startObjectServer()
    server.objects.set('a/b+c', content)
    server.objects.set('a', content)
    store = new HttpObjectStore(server.url)
  })
  afterAll(async () => {
    await store.close()
    await server.close()
  })

  async function answering<T>(
    status: number,
    headers: Record<string, string>,
    body: Uint8Array,
    act: () => Promise<T>,
  ): Promise<T> {
    server.intercept = (_, response) => {
      response.writeHead(status, headers)
      response.end(body)
      return true
    }
    try {
      return await act()
    } finally {
      server.intercept = undefined
    }
  }

  test('is read-only and lists nothing, with errors that say so', async () => {
    await expect(store.put('a', content)).rejects.toMatchObject({ code: 'FIRN_READ_ONLY' })
    await expect(store.delete('a')).rejects.toMatchObject({ code: 'FIRN_READ_ONLY' })
    await expect(store.upload('a')).rejects.toMatchObject({ code: 'FIRN_READ_ONLY' })
    const listing = store.list()[Symbol.asyncIterator]().next()
    await expect(listing).rejects.toMatchObject({ code: 'FIRN_UNSUPPORTED' })
  })

  test('makes one request for a range', async () => {
    server.requests.length = 0
    await store.get('a/b+c', { range: { start: 10, end: 20 }, immutable: true })
    await store.get('a/b+c', { range: { start: -7 } })
    expect(server.requests).toEqual(['GET /base/a/b%2Bc bytes=10-19', 'GET /base/a/b%2Bc bytes=-7'])
  })

  test('keeps the query and the headers, and turns credentials into a header', async () => {
    const seen: [string, string | undefined, string | undefined][] = []
    const url = new URL(`${server.url}/?token=1`)
    url.username = 'me'
    url.password = 'p@ss'
    server.intercept = (request) => {
      const { authorization } = request.headers
      seen.push([request.url ?? '', authorization, request.headers['x-more'] as string])
      return false
    }
    const other = new HttpObjectStore(url, { headers: { 'x-more': 'yes' } })
    await other.get('a')
    server.intercept = undefined
    expect(seen).toEqual([['/base/a?token=1', `Basic ${btoa('me:p@ss')}`, 'yes']])
  })

  const lies: [string, number, Record<string, string>, number][] = [
    ['another range', 206, { 'content-range': 'bytes 11-20/100' }, 10],
    ['a shorter range', 206, { 'content-range': 'bytes 10-18/100' }, 9],
    ['a longer range', 206, { 'content-range': 'bytes 10-20/100' }, 11],
    ['no Content-Range', 206, {}, 10],
    ['a Content-Range without a size', 206, { 'content-range': 'bytes 10-19/*' }, 10],
    ['a Content-Range past its size', 206, { 'content-range': 'bytes 10-19/15' }, 10],
    ['fewer bytes than said', 206, { 'content-range': 'bytes 10-19/100' }, 9],
    ['more bytes than said', 206, { 'content-range': 'bytes 10-19/100' }, 11],
    ['a status it must not send', 204, {}, 0],
    ['encoded bytes', 200, { 'content-encoding': 'br' }, 0],
  ]
  for (const [what, status, headers, length] of lies) {
    test(`26: refuses a reply with ${what}`, async () => {
      const body = content.subarray(10, 10 + length)
      const get = answering(status, { etag: '"x"', ...headers }, body, () =>
        store.get('a', { range: { start: 10, end: 20 } }),
      )
      await expect(get).rejects.toMatchObject({ code: 'FIRN_OBJECT_STORE' })
    })
  }

  test('refuses a body that ends before its Content-Length', async () => {
    server.intercept = (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write(content.subarray(0, 50), () => response.destroy())
      return true
    }
    const error = await store.get('a').catch((caught: unknown) => caught)
    server.intercept = undefined
    expect(error).toMatchObject({ code: 'FIRN_OBJECT_STORE', retryable: true })
  })

  const statuses: [number, string, boolean][] = [
    [403, 'permission', false],
    [429, 'throttled', true],
    [500, 'unavailable', true],
    [503, 'throttled', true],
    [504, 'timeout', true],
    [400, 'bad-reply', false],
  ]
  for (const [status, reason, retryable] of statuses) {
    test(`turns status ${status} into a typed error`, async () => {
      const expected = { code: 'FIRN_OBJECT_STORE', reason, retryable }
      await answering(status, {}, new Uint8Array(0), async () => {
        await expect(store.get('a')).rejects.toMatchObject(expected)
        await expect(store.head('a')).rejects.toMatchObject(expected)
      })
    })
  }

  test('finds out about a changed object from a server that ignores If-Match', async () => {
    const get = answering(200, { etag: '"new"' }, content, () =>
      store.get('a', { ifMatch: '"old"' }),
    )
    await expect(get).rejects.toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
  })

  test('says that a server which is gone can be asked again', async () => {
    const gone = await startObjectServer()
    await gone.close()
    const error = { code: 'FIRN_OBJECT_STORE', reason: 'unavailable', retryable: true }
    await expect(new HttpObjectStore(gone.url).get('a')).rejects.toMatchObject(error)
  })

  test('stops waiting when aborted', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    server.intercept = () => {
      abort.abort(reason)
      return true
    }
    await expect(store.get('a', { signal: abort.signal })).rejects.toBe(reason)
    server.intercept = undefined
  })

  test('refuses what is no HTTP URL, and repeats none', () => {
    for (const url of ['', 'file:///x', 'ftp://user:secret@host/', '/relative']) {
      expect(() => new HttpObjectStore(url)).toThrow(/needs an http/)
    }
  })

  test('refuses credentials whose percent encoding is broken, and repeats none', () => {
    for (const url of ['http://%zz@host/', 'http://me:secret%ff@host/']) {
      expect(() => new HttpObjectStore(url)).toThrow(InvalidArgumentError)
      expect(() => new HttpObjectStore(url)).not.toThrow(/zz|secret/)
    }
  })

  test('40: takes a URL of a hundred thousand slashes, and doesn’t look at them again for each', () => {
    expect(new HttpObjectStore(`http://host/${'/'.repeat(200_000)}x`)).toBeDefined()
  })
})
