import { S3ObjectStore, type S3RequestError } from '@firn/object-store-s3'
import { withSmallParts } from '@firn/object-store-s3/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { Bucket } from '../src/bucket.js'
import { type FaultKind, Faults } from '../src/faults.js'
import { Network } from '../src/network.js'
import { S3_SERVERS, type S3Server, simS3Client } from '../src/sim-s3-client.js'
import { LiveWorld } from './live-world.js'

const BYTES = Uint8Array.from({ length: 3000 }, (_, i) => i % 251)
const OTHER = Uint8Array.from({ length: 2000 }, (_, i) => i % 13)

let live: LiveWorld | undefined
afterEach(() => live?.end())

/** A store of which every request that can meet this fault does. */
function storeWith(
  kind: FaultKind,
  server: S3Server = 'aws',
): { store: S3ObjectStore; bucket: Bucket } {
  live = new LiveWorld()
  const { life } = live
  const bucket = new Bucket()
  bucket.put('a', { bytes: BYTES, metadata: {} })
  bucket.put('b', { bytes: OTHER, metadata: {} })
  const network = new Network(life.world, new Faults('store', new Map([[kind, 1]])), 5)
  const client = simS3Client({ life, bucket, network, pageKeys: 7, server })
  const options = { bucket: 'firn', client, partBytes: 100, env: life.env }
  return { store: new S3ObjectStore(withSmallParts(options)), bucket }
}

/** What becomes of many reads: bytes that are right, short or others, or an error's code. */
async function outcomes(
  kind: FaultKind,
  range?: { start: number; end: number },
): Promise<string[]> {
  const { store } = storeWith(kind)
  const right = range === undefined ? BYTES : BYTES.slice(range.start, range.end)
  const found = new Set<string>()
  for (let i = 0; i < 100; i++) {
    const options = range === undefined ? {} : { range }
    const outcome = await store.get('a', options).then(
      ({ bytes }) => {
        if (bytes.length < right.length) return 'short'
        return bytes.every((byte, at) => byte === right[at]) ? 'right' : 'others'
      },
      (error: S3RequestError) => (error.retryable ? error.reason : String(error)),
    )
    found.add(outcome)
  }
  return [...found].sort()
}

describe('a damaged answer fails where it contradicts itself, and reaches the reader where not', () => {
  const range = { start: 1000, end: 1900 }

  test('that ends early', async () => {
    expect(await outcomes('truncated')).toEqual(['bad-reply', 'short', 'unavailable'])
    expect(await outcomes('truncated', range)).toEqual(['bad-reply', 'short', 'unavailable'])
  })

  test('of flipped bits', async () => {
    expect(await outcomes('flipped')).toEqual(['bad-reply', 'others'])
    expect(await outcomes('flipped', range)).toEqual(['others'])
  })

  test('of another object', async () => {
    expect(await outcomes('wrong-object')).toEqual(['right', 'short'])
    expect(await outcomes('wrong-object', range)).toEqual(['others', 'right'])
    const longer = { start: 1500, end: 2500 }
    expect(await outcomes('wrong-object', longer)).toEqual(['bad-reply', 'right', 'short'])
  })
})

test.each(S3_SERVERS)(
  'an upload that is completed twice at once is done, on %s',
  async (server) => {
    const { store, bucket } = storeWith('own-refusal', server)
    const upload = await store.upload('c', { ifAbsent: true })
    await upload.write(BYTES)
    expect(await upload.finish()).toEqual({ etag: bucket.get('c').etag, size: BYTES.length })
    expect(bucket.get('c').bytes).toEqual(BYTES)
  },
)

test('a conflict of conditional writes leaves open what was done', async () => {
  const { store } = storeWith('conflict')
  await expect(store.put('c', BYTES, { ifAbsent: true })).rejects.toMatchObject({
    code: 'FIRN_OBJECT_STORE',
    retryable: true,
    status: 409,
    s3Code: 'ConditionalRequestConflict',
  })
})

describe('an upload in parts', () => {
  const refused = (name: string, httpStatusCode: number) =>
    expect.objectContaining({ name, $metadata: { httpStatusCode } })

  test('is made of the parts that are named, by what is in them, in their order', () => {
    const bucket = new Bucket()
    const id = bucket.beginUpload('c', {})
    const first = { number: 1, etag: bucket.putPart(id, 1, BYTES) }
    const second = { number: 2, etag: bucket.putPart(id, 2, OTHER) }
    const complete = (parts: { number: number; etag: string }[]) => () =>
      bucket.completeUpload(id, parts, {})
    expect(complete([first, { ...second, etag: 'another' }])).toThrow(refused('InvalidPart', 400))
    expect(complete([second, first])).toThrow(refused('InvalidPartOrder', 400))
    expect(complete([second])()).toMatch(/-1$/)
    expect(bucket.get('c').bytes).toEqual(OTHER)
  })

  test('is gone once it was completed or aborted, and stays where its condition did not hold', () => {
    const bucket = new Bucket()
    bucket.put('c', { bytes: OTHER, metadata: {} })
    const id = bucket.beginUpload('c', {})
    const parts = [{ number: 1, etag: bucket.putPart(id, 1, BYTES) }]
    expect(() => bucket.completeUpload(id, parts, { ifAbsent: true })).toThrow(
      refused('PreconditionFailed', 412),
    )
    bucket.completeUpload(id, parts, {})
    expect(() => bucket.abortUpload(id)).toThrow(refused('NoSuchUpload', 404))
    expect(() => bucket.putPart(id, 2, BYTES)).toThrow(refused('NoSuchUpload', 404))
  })
})
