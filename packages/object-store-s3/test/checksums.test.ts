import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { systemEnv } from '@firn/env'
import { RetryingObjectStore } from '@firn/object-store'
import { describe, expect, test, vi } from 'vitest'
import { S3ObjectStore, type S3Request } from '../src/index.js'
import { rejection, startAnswering } from './answering-server.ts'

const bytes = new TextEncoder().encode('content')

/** Retries without the pauses between them. */
const IMPATIENT = { ...systemEnv, sleep: () => systemEnv.yield() }

interface Said {
  status: number
  code: string
  message: string
}

const SAID: Readonly<Record<string, Said>> = {
  'that it has not implemented a header': {
    status: 501,
    code: 'NotImplemented',
    message: 'A header you provided implies functionality that is not implemented',
  },
  'nothing but 501': { status: 501, code: '', message: '' },
  'that a checksum is not supported': {
    status: 400,
    code: 'InvalidArgument',
    message: "Unsupported header 'x-amz-checksum-crc32' received for this API call",
  },
  'that a trailer is not supported': {
    status: 400,
    code: 'InvalidRequest',
    message: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER is not supported',
  },
}

/** Headers in which the SDK sends its checksums. */
function ofChecksums(headers: IncomingHttpHeaders): string[] {
  return Object.keys(headers).filter((name) => /^x-amz-(checksum|sdk-checksum|trailer)/.test(name))
}

/** A store, as a location creates it, on a server that doesn't know checksums. */
async function withServer(
  said: Said,
  act: (store: S3ObjectStore, requests: S3Request[]) => Promise<void>,
): Promise<IncomingHttpHeaders[]> {
  const seen: IncomingHttpHeaders[] = []
  const server = await startAnswering(({ headers, method }, response, body) => {
    seen.push(headers)
    const { status, code, message } = said
    if (ofChecksums(headers).length > 0) {
      const text =
        code === '' ? '' : `<Error><Code>${code}</Code><Message>${message}</Message></Error>`
      response.writeHead(status, { 'content-length': String(text.length) }).end(text)
    } else if (method === 'POST') {
      const sum = createHash('md5').update(body).digest('base64')
      const ok = headers['content-md5'] === sum
      response.writeHead(ok ? 200 : 400).end('<DeleteResult></DeleteResult>')
    } else {
      response.writeHead(200, { etag: '"x"', 'content-length': '0' }).end()
    }
  })
  const requests: S3Request[] = []
  const store = new S3ObjectStore({
    bucket: 'a-bucket',
    onRequest: (request) => requests.push(request),
    clientConfig: {
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    },
  })
  await act(store, requests)
  await store.close()
  await server.close()
  return seen
}

describe('a server that knows nothing of the SDK’s checksums', () => {
  const CALLS: Readonly<Record<string, (store: RetryingObjectStore) => Promise<unknown>>> = {
    'a write': (store) => store.put('k', bytes),
    'a conditional write': (store) => store.put('k', bytes, { ifAbsent: true }),
    'a read': (store) => store.get('k'),
    'deletes of several objects': (store) => store.delete(['a', 'b']),
    'an upload': async (store) => {
      const upload = await store.upload('k')
      await upload.write(bytes)
      return upload.finish()
    },
  }
  for (const [name, said] of Object.entries(SAID)) {
    for (const [call, make] of Object.entries(CALLS)) {
      test(`is asked once, and the setting that helps is named, for ${call} to which it says ${name}`, async () => {
        await withServer(said, async (store, requests) => {
          const error = await rejection(make(new RetryingObjectStore(store, { env: IMPATIENT })))
          expect(error).toMatchObject({
            code: 'FIRN_OBJECT_STORE',
            retryable: false,
            maybeDone: false,
          })
          const { message } = error as Error
          expect(message).toContain('AWS_REQUEST_CHECKSUM_CALCULATION=when_required')
          expect(message).toContain('AWS_RESPONSE_CHECKSUM_VALIDATION=when_required')
          expect(requests).toHaveLength(1)
        })
      })
    }
  }

  test('works with that setting, deletes of several objects among the rest', async () => {
    vi.stubEnv('AWS_REQUEST_CHECKSUM_CALCULATION', 'when_required')
    vi.stubEnv('AWS_RESPONSE_CHECKSUM_VALIDATION', 'when_required')
    try {
      for (const said of Object.values(SAID)) {
        const seen = await withServer(said, async (store) => {
          for (const make of Object.values(CALLS)) await make(new RetryingObjectStore(store))
        })
        expect(seen.flatMap(ofChecksums)).toEqual([])
      }
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

describe('a write that S3 refused', () => {
  const REFUSALS: [number, string, boolean][] = [
    [403, 'AccessDenied', false],
    [403, 'SignatureDoesNotMatch', false],
    [404, 'NoSuchBucket', false],
    [400, 'InvalidRequest', false],
    [301, 'PermanentRedirect', false],
    [409, 'ConditionalRequestConflict', true],
    [500, 'InternalError', true],
    [400, 'RequestTimeout', true],
  ]
  for (const [status, code, maybeDone] of REFUSALS) {
    test(`${maybeDone ? 'may have been' : 'certainly was not'} done: ${status} ${code}`, async () => {
      const server = await startAnswering((_, response) => {
        response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`)
      })
      const store = new S3ObjectStore({
        bucket: 'a-bucket',
        clientConfig: {
          endpoint: server.endpoint,
          region: 'us-east-1',
          credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        },
      })
      const error = await rejection(store.put('k', bytes, { ifAbsent: true }))
      expect(error).toMatchObject({ maybeDone })
      expect((error as Error).message).toContain("'a-bucket'")
      await store.close()
      await server.close()
    })
  }
})
