import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import {
  CUT_REPLY,
  denied,
  type FaultProxy,
  type HttpFault,
  LOST_REPLY,
  LOST_REQUEST,
  type ProxiedRequest,
  randomFault,
  refused,
  s3Answers,
  startFaultProxy,
  TWICE,
} from '@firn/local-services'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { S3ObjectStore, type S3ObjectStoreOptions, type S3Request } from '../src/index.js'
import { rejection } from './answering-server.ts'
import { clientConfig, hasS3, newBucket, plainClient, service } from './real-s3.ts'

const MIB = 2 ** 20
const PART = 5 * MIB

/** Bytes that differ from place to place. */
function noise(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 0x9e3779b1)
  return new Uint8Array(words.buffer, 0, length)
}

function isPart({ method, path }: ProxiedRequest): boolean {
  return method === 'PUT' && path.includes('partNumber=')
}

function isComplete({ method, path }: ProxiedRequest): boolean {
  return method === 'POST' && path.includes('uploadId=')
}

describe.skipIf(!hasS3)('uploads in parts', () => {
  let bucket = ''
  let proxy: FaultProxy
  let choose: (request: ProxiedRequest) => HttpFault | undefined
  const requests: S3Request[] = []
  const stores: S3ObjectStore[] = []
  let keys = 0

  function open(options: Partial<S3ObjectStoreOptions> = {}): S3ObjectStore {
    const store = new S3ObjectStore({
      bucket,
      clientConfig: clientConfig(proxy.endpoint),
      partBytes: PART,
      onRequest: (request) => requests.push(request),
      ...options,
    })
    stores.push(store)
    return store
  }

  async function upload(
    store: S3ObjectStore,
    key: string,
    bytes: Uint8Array,
    options: { ifAbsent?: boolean; signal?: AbortSignal } = {},
  ): Promise<{ etag: string; size: number }> {
    const upload = await store.upload(key, options)
    for (let at = 0; at < bytes.length; at += MIB) await upload.write(bytes.subarray(at, at + MIB))
    return upload.finish()
  }

  function kinds(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { kind } of requests) counts[kind] = (counts[kind] ?? 0) + 1
    return counts
  }

  async function expectObject(key: string, bytes: Uint8Array): Promise<void> {
    const object = await open({ clientConfig: clientConfig() }).get(key)
    expect(Buffer.from(object.bytes.buffer).equals(bytes)).toBe(true)
  }

  async function expectNoLeftovers(): Promise<void> {
    const client = plainClient()
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    client.destroy()
    expect(Uploads).toEqual([])
  }

  beforeAll(async () => {
    bucket = await newBucket()
    choose = () => undefined
    proxy = await startFaultProxy(service().endpoint, (request) => choose(request))
  })
  afterEach(async () => {
    choose = () => undefined
    for (const store of stores.splice(0)) await store.close()
    requests.length = 0
    await expectNoLeftovers()
  })
  afterAll(() => proxy.stop())

  test('sends what fits into a part with one request', async () => {
    const bytes = noise(PART)
    const { size, etag } = await upload(open(), 'one-part', bytes)
    expect(size).toBe(PART)
    expect(kinds()).toEqual({ put: 1 })
    expect(requests[0]).toEqual({ kind: 'put', bytesSent: PART, bytesReceived: 0, failed: false })
    expect((await open().head('one-part'))?.etag).toBe(etag)
    await expectObject('one-part', bytes)
  })

  test('35: sends more in parts, several at once and no more than it may', async () => {
    const bytes = noise(32 * MIB + 13)
    let [underWay, most] = [0, 0]
    choose = (request) => {
      if (isPart(request)) most = Math.max(most, ++underWay)
      return undefined
    }
    const count = (request: S3Request) => {
      requests.push(request)
      if (request.kind === 'upload-part') underWay--
    }
    const store = open({ concurrency: 3, onRequest: count })
    const { size, etag } = await upload(store, 'parts', bytes)
    expect(size).toBe(bytes.length)
    expect(most).toBe(3)
    // Ceph's gateway leaves the ETag out, which takes a HEAD.
    expect(kinds()).toEqual({
      'create-multipart': 1,
      'upload-part': 7,
      'complete-multipart': 1,
      ...(service().kind === 'ceph' && { head: 1 }),
    })
    expect(requests.reduce((sum, { bytesSent }) => sum + bytesSent, 0)).toBe(bytes.length)
    expect((await store.head('parts'))?.etag).toBe(etag)
    await expectObject('parts', bytes)
  })

  test('creates only where there is nothing', async () => {
    const [first, second] = [noise(PART + 1), noise(PART + 2)]
    await upload(open(), 'absent', first, { ifAbsent: true })
    const again = upload(open(), 'absent', second, { ifAbsent: true })
    expect(await rejection(again)).toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
    await expectObject('absent', first)
  })

  test('27: leaves nothing when it is aborted with parts under way', async () => {
    const store = open()
    const started = await store.upload('aborted')
    await started.write(noise(17 * MIB))
    await started.abort()
    await started.abort()
    expect(kinds()).toMatchObject({ 'create-multipart': 1, 'abort-multipart': 1 })
    expect(await store.head('aborted')).toBeUndefined()
  })

  test('27, 42: leaves nothing when its signal is aborted, at whatever request', async () => {
    for (const at of ['?uploads', 'partNumber=1&', 'partNumber=3&', 'complete']) {
      const abort = new AbortController()
      const reason = new Error(`enough, at ${at}`)
      choose = (request) => {
        const here = at === 'complete' ? isComplete(request) : request.path.includes(at)
        if (here) abort.abort(reason)
        return undefined
      }
      const store = open()
      const signal = abort.signal
      expect(await rejection(upload(store, 'aborted', noise(17 * MIB), { signal }))).toBe(reason)
      // Closing the store ends everything under way.
      await store.close()
      await expectNoLeftovers()
    }
  })

  test('leaves nothing when the store closes', async () => {
    const store = open()
    const started = await store.upload('closed')
    await started.write(noise(12 * MIB))
    await store.close()
    expect(await rejection(started.finish())).toMatchObject({ code: 'FIRN_CLOSED' })
  })

  test('27: fails for good when a part does, and leaves nothing', async () => {
    choose = (request) =>
      request.path.includes('partNumber=2&') ? refused(s3Answers.ACCESS_DENIED) : undefined
    const store = open()
    const error = await rejection(upload(store, 'denied', noise(32 * MIB)))
    expect(error).toMatchObject({ reason: 'permission', retryable: false })
    expect(kinds()['abort-multipart']).toBe(1)
    expect(await store.head('denied')).toBeUndefined()
  })

  test('gets through when a third of its requests go wrong', async () => {
    const env = new TestEnv({ seed: 3 })
    const faults = [
      TWICE,
      LOST_REPLY,
      LOST_REQUEST,
      CUT_REPLY,
      refused(s3Answers.SLOW_DOWN),
      refused(s3Answers.INTERNAL_ERROR),
      denied(s3Answers.INTERNAL_ERROR),
    ]
    choose = ({ method, path }) =>
      // An upload whose create reply was lost stays behind, because its id is unknown.
      method === 'POST' && path.includes('?uploads')
        ? undefined
        : randomFault(() => env.random(), 1 / 3, faults)
    for (const length of [100, 2 * PART + 1, 5 * PART]) {
      const key = `faults-${++keys}`
      const bytes = noise(length)
      expect((await upload(open(), key, bytes, { ifAbsent: true })).size).toBe(length)
      await expectObject(key, bytes)
    }
    expect(proxy.faults).toBeGreaterThan(0)
  })

  test('12: holds further parts back when S3 asks for less', async () => {
    let [asked, arrived, atNinth] = [0, 0, 0]
    choose = (request) => {
      if (!isPart(request)) return undefined
      if (request.path.includes('partNumber=9&')) atNinth = arrived
      return ++asked <= 8 ? refused(s3Answers.SLOW_DOWN) : undefined
    }
    const env = new TestEnv()
    const onRequest = ({ kind }: S3Request) => {
      if (kind === 'upload-part' && asked > 8) arrived++
    }
    const store = open({ concurrency: 8, env, onRequest })
    const bytes = noise(8 * PART + 1)
    const uploading = upload(store, 'slowly', bytes)
    // All eight pause, and continue one by one; after each there is time for a ninth to appear.
    while (env.sleeping < 8) await systemEnv.sleep(1)
    for (let left = 8; left > 0; ) {
      while (env.sleeping === left) env.advance(0.01)
      left = env.sleeping
      while (arrived < 8 - left) await systemEnv.sleep(1)
      await store.head('slowly')
    }
    expect((await uploading).size).toBe(bytes.length)
    // One may be under way then, and one more with each that arrives.
    expect(atNinth).toBe(4)
  })

  describe('whose completion is unclear', () => {
    test('finds its object when S3 no longer knows the upload', async () => {
      for (const ifAbsent of [false, true]) {
        const key = `lost-${++keys}`
        let completions = 0
        choose = (request) => {
          if (!isComplete(request)) return undefined
          return ++completions === 1 ? LOST_REPLY : refused(s3Answers.NO_SUCH_UPLOAD)
        }
        const bytes = noise(PART + 1)
        const { etag } = await upload(open(), key, bytes, { ifAbsent })
        expect((await open().head(key))?.etag).toBe(etag)
        await expectObject(key, bytes)
      }
    })

    test('finds its object when its condition no longer holds', async () => {
      const key = `lost-${++keys}`
      let completions = 0
      choose = (request) => {
        if (!isComplete(request)) return undefined
        return ++completions === 1 ? LOST_REPLY : refused(s3Answers.PRECONDITION_FAILED)
      }
      const bytes = noise(PART + 1)
      await upload(open(), key, bytes, { ifAbsent: true })
      await expectObject(key, bytes)
    })

    test('6: knows from its own an object that another made, of the same bytes', async () => {
      const bytes = noise(PART + 1)
      for (const ifAbsent of [false, true]) {
        const key = `lost-${++keys}`
        let completions = 0
        choose = (request) => {
          if (!isComplete(request)) return undefined
          const first = ++completions === 1
          return refused(first ? s3Answers.CONDITIONAL_REQUEST_CONFLICT : s3Answers.NO_SUCH_UPLOAD)
        }
        const env = new TestEnv()
        const failing = rejection(upload(open({ env }), key, bytes, { ifAbsent }))
        // Between the two attempts.
        while (env.sleeping === 0) await systemEnv.sleep(1)
        await upload(open({ clientConfig: clientConfig() }), key, bytes)
        env.advance(60_000)
        expect(await failing).toMatchObject(
          ifAbsent
            ? { code: 'FIRN_PRECONDITION_FAILED' }
            : { code: 'FIRN_OBJECT_STORE', message: expect.stringContaining('unknown') },
        )
      }
    })

    test('sees the failure in an answer that began as a success', async () => {
      // S3 sends its 200 before it is done, to keep the connection.
      const { body, headers } = s3Answers.INTERNAL_ERROR
      let completions = 0
      choose = (request) => {
        if (!isComplete(request)) return undefined
        return ++completions === 1 ? refused({ status: 200, headers, body }) : undefined
      }
      const bytes = noise(PART + 1)
      await upload(open(), 'second-try', bytes)
      expect(completions).toBe(2)
      await expectObject('second-try', bytes)
    })

    test('says so when there is nothing to find', async () => {
      let completions = 0
      choose = (request) => {
        if (!isComplete(request)) return undefined
        return ++completions === 1 ? LOST_REQUEST : refused(s3Answers.NO_SUCH_UPLOAD)
      }
      const failing = upload(open(), 'gone', noise(PART + 1), { ifAbsent: true })
      expect(await rejection(failing)).toMatchObject({
        retryable: false,
        message: expect.stringContaining('unknown'),
      })
    })

    test('fails where S3 denies it, without asking again', async () => {
      choose = (request) => (isComplete(request) ? refused(s3Answers.ACCESS_DENIED) : undefined)
      const error = await rejection(upload(open(), 'never', noise(PART + 1)))
      expect(error).toMatchObject({ reason: 'permission' })
      expect(kinds()['complete-multipart']).toBe(1)
    })
  })
})
