import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { crc32 } from 'node:zlib'
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { assertConditionalWrites } from '@firn/object-store'
import { describe, expect, test, vi } from 'vitest'
import { S3ObjectStore, type S3Request } from '../src/index.js'
import { newClient } from '../src/internal/s3-client.js'
import { withSmallParts } from '../src/testing.js'
import { rejection, startAnswering, storeAt } from './answering-server.ts'
import { clientConfig, hasS3, newBucket, plainClient } from './real-s3.ts'

const bytes = new TextEncoder().encode('content')

async function keysOf(list: AsyncIterable<{ key: string }>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}

describe('what goes over the wire', () => {
  interface Seen {
    method: string
    url: string
    headers: IncomingHttpHeaders
    body: Buffer
  }

  /** Accepts all requests, and records them. */
  async function taking(
    act: (endpoint: string, seen: Seen[]) => Promise<void>,
    say: (seen: Seen) => { status: number; headers?: Record<string, string>; body?: string },
  ): Promise<void> {
    const seen: Seen[] = []
    const server = await startAnswering(({ method = '', url = '', headers }, response, body) => {
      const one = { method, url, headers, body }
      seen.push(one)
      const { status, headers: said = {}, body: text = '' } = say(one)
      const length = { 'content-length': String(text.length) }
      response.writeHead(status, { etag: '"x"', ...length, ...said }).end(text)
    })
    await act(server.endpoint, seen)
    await server.close()
  }
  const fine = () => ({ status: 200 })

  test('sends encryption and checksums with what it writes', async () => {
    await taking(async (endpoint, seen) => {
      const store = storeAt(endpoint, {
        serverSideEncryption: 'aws:kms',
        sseKmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/a-key',
      })
      await store.put('k', bytes, { ifAbsent: true })
      await store.put('k', bytes, { ifMatch: 'abc' })
      await store.put('large', new Uint8Array(3 * 2 ** 20))
      const sum = Buffer.alloc(4)
      for (const { headers, body } of seen) {
        sum.writeUInt32BE(crc32(body))
        expect(headers).toMatchObject({
          'x-amz-server-side-encryption': 'aws:kms',
          'x-amz-server-side-encryption-aws-kms-key-id':
            'arn:aws:kms:us-east-1:123456789012:key/a-key',
          'x-amz-checksum-crc32': sum.toString('base64'),
        })
        expect(headers['expect']).toBeUndefined()
      }
      expect(seen.map(({ headers }) => headers['if-none-match'])).toEqual([
        '*',
        undefined,
        undefined,
      ])
      expect(seen.map(({ headers }) => headers['if-match'])).toEqual([undefined, 'abc', undefined])
      await store.close()
    }, fine)
  })

  test('encrypts what is uploaded in parts', async () => {
    await taking(
      async (endpoint, seen) => {
        const store = storeAt(endpoint, { partBytes: 5 * 2 ** 20, serverSideEncryption: 'AES256' })
        const upload = await store.upload('k')
        await upload.write(new Uint8Array(5 * 2 ** 20 + 1))
        await upload.finish()
        const [begun] = seen
        expect(begun?.url).toContain('uploads')
        expect(begun?.headers['x-amz-server-side-encryption']).toBe('AES256')
        await store.close()
      },
      ({ url }) => {
        if (url.includes('uploads'))
          return { status: 200, body: '<R><UploadId>an-upload</UploadId></R>' }
        return { status: 200, body: url.includes('partNumber') ? '' : '<R><ETag>x</ETag></R>' }
      },
    )
  })

  test('asks for checksums of what it reads', async () => {
    await taking(async (endpoint, seen) => {
      const store = storeAt(endpoint)
      await store.get('k')
      expect(seen[0]?.headers['x-amz-checksum-mode']).toBe('ENABLED')
      await store.close()
    }, fine)
  })

  test('asks for no more keys than it is to list', async () => {
    await taking(
      async (endpoint, seen) => {
        await keysOf(storeAt(endpoint).list({ limit: 3 }))
        await keysOf(storeAt(endpoint).list({ limit: 3000 }))
        const asked = seen.map(({ url }) => new URL(url, endpoint).searchParams.get('max-keys'))
        expect(asked).toEqual(['3', '1000'])
      },
      () => ({ status: 200, body: '<ListBucketResult></ListBucketResult>' }),
    )
  })

  test('names the bucket in the path where it is not talking to AWS', async () => {
    await taking(async (endpoint, seen) => {
      const { port } = new URL(endpoint)
      const local = `http://localhost:${port}`
      await storeAt(local, { prefix: 'some/folder' }).head('a/k')
      vi.stubEnv('AWS_ENDPOINT_URL_S3', local)
      const clientConfig = {
        region: 'us-east-1',
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      }
      await new S3ObjectStore({ bucket: 'a-bucket', clientConfig }).head('k')
      vi.unstubAllEnvs()
      expect(seen.map(({ url }) => url)).toEqual(['/a-bucket/some/folder/a/k', '/a-bucket/k'])
      for (const { headers } of seen) expect(headers.host).toBe(`localhost:${port}`)
    }, fine)
  })

  const endpoints: [string | undefined, boolean][] = [
    [undefined, false],
    ['https://s3.eu-west-1.amazonaws.com', false],
    ['https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com', false],
    ['https://s3.cn-north-1.amazonaws.com.cn', false],
    ['https://s3.example.com', true],
    ['https://amazonaws.com.example.com', true],
    ['http://localhost:9000', true],
  ]
  for (const [endpoint, inPath] of endpoints) {
    test(`names it in the ${inPath ? 'path' : 'host'} for ${endpoint ?? 'no endpoint'}, unless told`, () => {
      const config = { region: 'us-east-1', ...(endpoint !== undefined && { endpoint }) }
      expect(newClient(config, undefined, 50).config.forcePathStyle).toBe(inPath)
      expect(newClient(config, !inPath, 50).config.forcePathStyle).toBe(!inPath)
      const told = { ...config, forcePathStyle: !inPath }
      expect(newClient(told, undefined, 50).config.forcePathStyle).toBe(!inPath)
    })
  }

  test('keeps its connections, and opens no more than it may', async () => {
    let seen = 0
    let all = (): void => {}
    const server = await startAnswering(async (_, response) => {
      // The first are answered together, to open the largest number of connections.
      if (++seen === 50) all()
      await allThere
      response.writeHead(200, { etag: '"x"', 'content-length': '0' }).end()
    })
    const allThere = new Promise<void>((resolve) => {
      all = resolve
    })
    const store = storeAt(server.endpoint)
    // Two are reserved for urgent requests.
    const get = (_: unknown, i: number) => store.get('k', { urgent: i % 10 === 0 })
    await Promise.all(Array.from({ length: 300 }, get))
    for (let i = 0; i < 20; i++) await store.get('k')
    expect(server.connections).toBe(50)
    await store.close()
    await server.close()
  })

  test('gives the MD5 of a deletion to servers that ask for it', async () => {
    const asks = `<Error><Code>MissingContentMD5</Code><Message>Missing required header for this request: Content-MD5.</Message></Error>`
    await taking(
      async (endpoint, seen) => {
        const store = storeAt(endpoint)
        await store.delete(['a', 'b'])
        await store.delete(['c', 'd'])
        expect(seen.length).toBe(3)
        for (const { headers, body } of seen.slice(1)) {
          expect(headers['content-md5']).toBe(createHash('md5').update(body).digest('base64'))
        }
        await store.close()
      },
      ({ headers }) =>
        headers['content-md5'] === undefined
          ? { status: 400, body: asks }
          : { status: 200, body: '<DeleteResult></DeleteResult>' },
    )
  })

  test('says which objects were not deleted, and whether to try again', async () => {
    const failing = (codes: string[]) => {
      const errors = codes.map((code, i) => `<Error><Key>k${i}</Key><Code>${code}</Code></Error>`)
      return { status: 200, body: `<DeleteResult>${errors.join('')}</DeleteResult>` }
    }
    const cases: [string[], object | undefined][] = [
      [['InternalError'], { s3Code: 'InternalError', retryable: true }],
      [
        ['SlowDown', 'AccessDenied'],
        {
          s3Code: 'AccessDenied',
          reason: 'permission',
          retryable: false,
          message: expect.stringMatching(/2 of them, for object 'k1' with AccessDenied/),
        },
      ],
      [['NoSuchKey'], undefined],
    ]
    for (const [codes, expected] of cases) {
      await taking(
        async (endpoint) => {
          const deleting = storeAt(endpoint).delete(['k0', 'k1', 'k2'])
          if (expected === undefined) await deleting
          else expect(await rejection(deleting)).toMatchObject(expected)
        },
        () => failing(codes),
      )
    }
  })

  test('leaves a client that was given to it alone', async () => {
    let answer = (): void => {}
    let arrive = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const server = await startAnswering((_, response) => {
      answer = () => void response.writeHead(200, { etag: '"x"', 'content-length': '0' }).end()
      arrive()
    })
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: server.endpoint,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    })
    const theirs = client.send(new HeadObjectCommand({ Bucket: 'a-bucket', Key: 'k' }))
    await arrived
    await new S3ObjectStore({ bucket: 'a-bucket', client }).close()
    answer()
    expect((await theirs).ETag).toBe('"x"')
    client.destroy()
    await server.close()
  })

  test('5: refuses a client that tries again by itself', async () => {
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    })
    const error = await rejection(new S3ObjectStore({ bucket: 'a-bucket', client }).get('k'))
    expect(error).toMatchObject({
      code: 'FIRN_INVALID_ARGUMENT',
      message: expect.stringContaining('maxAttempts: 1'),
    })
  })

  test('refuses options that make no sense', () => {
    const bucket = 'a-bucket'
    const client = new S3Client({ region: 'us-east-1', maxAttempts: 1 })
    for (const options of [
      { bucket: '' },
      { bucket, prefix: '../other' },
      { bucket, prefix: '/' },
      { bucket, partBytes: 5 * 2 ** 20 - 1 },
      { bucket, partBytes: 6 * 2 ** 30 },
      { bucket, concurrency: 0 },
      { bucket, client, clientConfig: {} },
      { bucket, client, forcePathStyle: true },
    ]) {
      expect(() => new S3ObjectStore(options)).toThrow(
        expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' }),
      )
    }
  })

  test('takes small parts only from those who test with a server of their own', () => {
    const client = new S3Client({ region: 'us-east-1', maxAttempts: 1 })
    const options = { bucket: 'a-bucket', client, partBytes: 1 }
    const refused = expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' })
    expect(() => new S3ObjectStore(options)).toThrow(refused)
    expect(() => new S3ObjectStore(withSmallParts(options))).not.toThrow()
    expect(() => new S3ObjectStore(withSmallParts({ ...options, partBytes: 0 }))).toThrow(refused)
    expect(() => new S3ObjectStore(options)).toThrow(refused)
  })
})

describe.skipIf(!hasS3)('what it makes of a bucket', () => {
  test('lists and deletes in batches of a thousand, and counts what it asks for', async () => {
    const requests: S3Request[] = []
    const store = new S3ObjectStore({
      bucket: await newBucket(),
      prefix: 'some/folder',
      clientConfig: clientConfig(),
      onRequest: (request) => requests.push(request),
    })
    const kinds = () => requests.splice(0).map(({ kind }) => kind)
    const keys = Array.from({ length: 1010 }, (_, i) => `k/${String(i).padStart(4, '0')}`)
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, bytes)))
    }
    requests.length = 0
    expect(await keysOf(store.list({ prefix: 'k/' }))).toEqual(keys)
    expect(kinds()).toEqual(['list', 'list'])
    expect(await keysOf(store.list({ startAfter: 'k/0004', limit: 1001 }))).toEqual(
      keys.slice(5, 1006),
    )
    expect(kinds()).toEqual(['list', 'list'])
    expect((await keysOf(store.list({ limit: 1000 }))).length).toBe(1000)
    expect(kinds()).toEqual(['list'])

    await store.get('k/0001', { range: { start: -3 } })
    expect(requests.splice(0)).toEqual([
      { kind: 'get', bytesSent: 0, bytesReceived: 3, failed: false },
    ])
    await store.get('k/0001', { range: { start: 100 } })
    expect(kinds()).toEqual(['get', 'head'])
    await store.get('k/0001', { range: { start: 3, end: 3 } })
    await store.get('missing').catch(() => {})
    expect(kinds()).toEqual(['head', 'get'])

    await store.delete(keys.slice(0, 1))
    await store.delete(keys)
    expect(kinds()).toEqual(['delete', 'delete', 'delete'])
    expect(await keysOf(store.list())).toEqual([])
    await store.close()
  })

  test('shows what is in its folder under keys of its own, and nothing else', async () => {
    const bucket = await newBucket()
    const options = { bucket, clientConfig: clientConfig() }
    const [all, a, b] = [
      new S3ObjectStore(options),
      new S3ObjectStore({ ...options, prefix: 'a' }),
      new S3ObjectStore({ ...options, prefix: 'a/b/' }),
    ]
    await b.put('k', bytes)
    await a.put('k', bytes)
    await all.put('ab', bytes)
    const client = plainClient()
    // Consoles create folders like this.
    const marker = { Bucket: bucket, Key: 'a/', Body: new Uint8Array(0) }
    await client.send(new PutObjectCommand(marker))
    await client.send(new PutObjectCommand({ ...marker, Key: 'a/not a key' }))
    client.destroy()
    expect(await keysOf(all.list())).toEqual(['a/b/k', 'a/k', 'ab'])
    expect(await keysOf(a.list())).toEqual(['b/k', 'k'])
    expect(await keysOf(b.list())).toEqual(['k'])
    expect((await a.get('b/k')).bytes).toEqual(bytes)
    await a.delete(['b/k', 'k'])
    expect(await keysOf(all.list())).toEqual(['ab'])
    const long = 'k'.repeat(1023)
    expect(await rejection(a.put(long, bytes))).toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    for (const store of [all, a, b]) await store.close()
  })

  test('keeps its word on conditional writes', async () => {
    const store = new S3ObjectStore({ bucket: await newBucket(), clientConfig: clientConfig() })
    await assertConditionalWrites(store)
    await assertConditionalWrites(store)
    await store.close()
  })
})
