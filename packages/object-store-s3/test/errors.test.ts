import { inspect } from 'node:util'
import { type HttpAnswer, refused, s3Answers, startFaultProxy } from '@firn/local-services'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { S3ObjectStore } from '../src/index.js'
import { rejection, storeAt } from './answering-server.ts'

const CONTENT = new Uint8Array(10)

/** Runs against an S3 that sends one answer to all requests. */
async function answering<T>(
  answer: HttpAnswer,
  act: (store: S3ObjectStore, requests: () => number) => Promise<T>,
): Promise<T> {
  const server = await startFaultProxy('http://127.0.0.1:1', () => refused(answer))
  const store = storeAt(server.endpoint)
  try {
    return await act(store, () => server.requests)
  } finally {
    await store.close()
    await server.stop()
  }
}

const {
  ACCESS_DENIED,
  AUTHORIZATION_HEADER_MALFORMED,
  BAD_GATEWAY,
  CONDITIONAL_REQUEST_CONFLICT,
  EXPIRED_TOKEN,
  INTERNAL_ERROR,
  INVALID_ACCESS_KEY_ID,
  KMS_DISABLED,
  NO_SUCH_BUCKET,
  NO_SUCH_KEY,
  PERMANENT_REDIRECT,
  PRECONDITION_FAILED,
  REQUEST_TIME_TOO_SKEWED,
  REQUEST_TIMEOUT,
  SIGNATURE_DOES_NOT_MATCH,
  SLOW_DOWN,
  answer,
} = s3Answers

describe('what S3 answers', () => {
  const store = 'FIRN_OBJECT_STORE'
  const cases: [string, HttpAnswer, object][] = [
    ['SlowDown', SLOW_DOWN, { code: store, reason: 'throttled', retryable: true, status: 503 }],
    ['InternalError', INTERNAL_ERROR, { code: store, reason: 'unavailable', retryable: true }],
    ['a proxy', BAD_GATEWAY, { code: store, reason: 'unavailable', retryable: true, status: 502 }],
    ['RequestTimeout', REQUEST_TIMEOUT, { code: store, reason: 'timeout', retryable: true }],
    [
      'ConditionalRequestConflict',
      CONDITIONAL_REQUEST_CONFLICT,
      { code: store, reason: 'unavailable', retryable: true, s3Code: 'ConditionalRequestConflict' },
    ],
    ['AccessDenied', ACCESS_DENIED, { code: store, reason: 'permission', retryable: false }],
    ['a disabled key', KMS_DISABLED, { code: store, reason: 'permission', retryable: false }],
    ['a wrong clock', REQUEST_TIME_TOO_SKEWED, { code: store, retryable: true }],
    [
      'a full store',
      answer(403, 'QuotaExceeded', 'Quota exceeded'),
      { code: store, reason: 'no-space', retryable: false },
    ],
    [
      'an unknown error',
      answer(400, 'FutureError', 'Something new'),
      { code: store, reason: 'bad-reply', retryable: false, s3Code: 'FutureError' },
    ],
    ['NoSuchBucket', NO_SUCH_BUCKET, { code: 'FIRN_S3_BUCKET_NOT_FOUND', bucket: 'a-bucket' }],
    ['ExpiredToken', EXPIRED_TOKEN, { code: 'FIRN_S3_CREDENTIALS', retryable: false }],
    ['InvalidAccessKeyId', INVALID_ACCESS_KEY_ID, { code: 'FIRN_S3_CREDENTIALS' }],
    ['SignatureDoesNotMatch', SIGNATURE_DOES_NOT_MATCH, { code: 'FIRN_S3_CREDENTIALS' }],
    ['another region', PERMANENT_REDIRECT, { code: 'FIRN_S3_CONFIGURATION', retryable: false }],
    ['a wrong region', AUTHORIZATION_HEADER_MALFORMED, { code: 'FIRN_S3_CONFIGURATION' }],
  ]
  for (const [what, said, expected] of cases) {
    test(`6, 12: turns ${what} into a typed error, after one attempt`, async () => {
      await answering(said, async (s3, requests) => {
        const calls = [
          () => s3.get('a/key'),
          () => s3.put('a/key', CONTENT),
          () => s3.put('a/key', CONTENT, { ifAbsent: true }),
          () => s3.delete('a/key'),
          () => s3.delete(['a/key', 'b/key']),
          () => s3.list()[Symbol.asyncIterator]().next(),
        ]
        for (const [i, call] of calls.entries()) {
          const error = await rejection(call())
          expect(error).toMatchObject(expected)
          expect(requests(), 'requests').toBe(i + 1)
          expect((error as Error).message).toContain("'a-bucket'")
        }
      })
    })
  }

  test('6: knows a missing object, a lost race, and nothing to replace', async () => {
    await answering(NO_SUCH_KEY, async (s3) => {
      expect(await rejection(s3.get('k'))).toMatchObject({
        code: 'FIRN_OBJECT_NOT_FOUND',
        key: 'k',
      })
      expect(await s3.head('k')).toBeUndefined()
      const lost = { code: 'FIRN_PRECONDITION_FAILED' }
      expect(await rejection(s3.put('k', CONTENT, { ifMatch: 'e' }))).toMatchObject(lost)
      await s3.delete('k')
    })
    await answering(PRECONDITION_FAILED, async (s3) => {
      const lost = { code: 'FIRN_PRECONDITION_FAILED', key: 'k' }
      expect(await rejection(s3.get('k', { ifMatch: 'e' }))).toMatchObject(lost)
      expect(await rejection(s3.put('k', CONTENT, { ifMatch: 'e' }))).toMatchObject(lost)
      expect(await rejection(s3.put('k', CONTENT, { ifAbsent: true }))).toMatchObject(lost)
    })
  })

  // The answer to a HEAD has no body, and so no code.
  const heads: [HttpAnswer, object][] = [
    [ACCESS_DENIED, { reason: 'permission', retryable: false }],
    [EXPIRED_TOKEN, { reason: 'bad-reply', retryable: false }],
    [SLOW_DOWN, { reason: 'throttled', retryable: true }],
    [INTERNAL_ERROR, { reason: 'unavailable', retryable: true }],
    [PERMANENT_REDIRECT, { code: 'FIRN_S3_CONFIGURATION' }],
  ]
  for (const [said, expected] of heads) {
    test(`makes do with status ${said.status} for a HEAD`, async () => {
      const error = await answering(said, (s3) => rejection(s3.head('k')))
      expect(error).toMatchObject(expected)
    })
  }

  test('43: keeps the request id, and no token, key id or signature, however it is printed', async () => {
    const slow = await answering(SLOW_DOWN, (s3) => rejection(s3.get('k')))
    expect(slow).toMatchObject({ requestId: '4442587FB7D0A2F9', s3Code: 'SlowDown' })
    expect((slow as Error).message).toContain('4442587FB7D0A2F9')
    for (const [, said] of cases) {
      const error = await answering(said, (s3) => rejection(s3.get('k')))
      const printed = inspect(error, { depth: 20, showHidden: true })
      expect(printed).not.toMatch(/EXAMPLE|a-secret|fe5f80f77d5f|AWS4-HMAC/)
    }
  })
})

describe('what happens before S3 answers', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('says that a server which is gone can be asked again', async () => {
    const error = await rejection(storeAt('http://127.0.0.1:1').get('k'))
    expect(error).toMatchObject({
      code: 'FIRN_OBJECT_STORE',
      reason: 'unavailable',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('says that an unknown host can be asked again', async () => {
    const error = await rejection(storeAt('http://s3.invalid').get('k'))
    expect(error).toMatchObject({ reason: 'unavailable', retryable: true })
  })

  test('says where credentials come from when there are none', async () => {
    for (const name of Object.keys(process.env))
      if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
    const requests: unknown[] = []
    const store = new S3ObjectStore({
      bucket: 'a-bucket',
      clientConfig: { endpoint: 'http://127.0.0.1:1', region: 'us-east-1' },
      onRequest: (request) => requests.push(request),
    })
    expect(await rejection(store.get('k'))).toMatchObject({
      code: 'FIRN_S3_CREDENTIALS',
      retryable: false,
      message: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    })
    expect(requests).toEqual([])
  })

  test('says so when there is no region', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
    const clientConfig = { endpoint: 'http://127.0.0.1:1' }
    const store = new S3ObjectStore({ bucket: 'a-bucket', clientConfig })
    expect(await rejection(store.get('k'))).toMatchObject({
      code: 'FIRN_S3_CONFIGURATION',
      message: expect.stringContaining('AWS_REGION'),
    })
  })
})
