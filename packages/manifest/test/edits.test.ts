import { ByteWriter } from '@firn/bytes'
import { CorruptionError, FormatVersionError, systemEnv, ulid } from '@firn/env'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEdits, type Edit, encodeEdits } from '../src/index.js'
import { fileMeta, INCARNATION, tableOptions } from './fixtures.js'

const EVERY_EDIT: Edit[] = [
  { type: 'create-database', incarnation: INCARNATION },
  { type: 'records', bytes: Uint8Array.of(1, 1, 1, 1, 65, 66) },
  { type: 'create-table', id: 7, name: 'tâble\0', options: tableOptions() },
  {
    type: 'alter-table',
    id: 0xfffffffe,
    options: tableOptions({
      history: { versions: 3 },
      ttlMs: 5,
      mergeOperator: 'sum',
      statistics: ['a', '__proto__'],
    }),
  },
  { type: 'drop-table', id: 7 },
  { type: 'add-files', files: [fileMeta({ id: 1 }), fileMeta({ id: 2, statistics: true })] },
  { type: 'flush', from: 0, through: 2 ** 53 - 1, files: [] },
  {
    type: 'compact',
    removed: ['1-a', '2-b'],
    added: [{ table: 7, file: fileMeta({ id: 3, level: 6 }) }],
    floors: [{ table: 7, timestamp: 99 }],
  },
  { type: 'gc-floor', version: 12 },
  { type: 'pin', pin: { name: 'keep', version: 3, timestamp: 4 } },
  { type: 'pin', pin: { name: 'keep', version: 3, timestamp: 4, expiresAt: 5 } },
  { type: 'unpin', name: 'keep' },
  { type: 'checkpoint', version: 3, key: 'checkpoints/x' },
]

describe('edits', () => {
  test('come back as they were, each alone and all together', () => {
    for (const edit of EVERY_EDIT) expect(decodeEdits(encodeEdits([edit]))).toEqual([edit])
    expect(decodeEdits(encodeEdits(EVERY_EDIT))).toEqual(EVERY_EDIT)
  })

  test('keep a statistic named __proto__ as one of its own', () => {
    const [edit] = decodeEdits(encodeEdits([EVERY_EDIT[5] as Edit]))
    const file = edit?.type === 'add-files' ? edit.files[1] : undefined
    expect(Object.keys(file?.statistics ?? {})).toEqual(['min', '__proto__'])
  })

  test('are nothing where the payload is empty', () => {
    expect(encodeEdits([])).toHaveLength(0)
    expect(decodeEdits(new Uint8Array(0))).toEqual([])
  })

  test('37: refuse a payload format, an edit or a table option from the future', () => {
    const payload = encodeEdits([{ type: 'gc-floor', version: 1 }])
    expect(() => decodeEdits(payload.with(0, 2))).toThrow(FormatVersionError)
    expect(() => decodeEdits(payload.with(1, 200))).toThrow(FormatVersionError)
    expect(() => decodeEdits(payload.with(0, 0x80))).toThrow(/SpillingCommitLog/)
    const options = { ...tableOptions(), retentionOfTheFuture: 1 }
    const text = JSON.stringify(options)
    const body = [7, (text.length & 0x7f) | 0x80, text.length >> 7, ...Buffer.from(text)]
    const future = Uint8Array.from([1, 4, body.length, 0, 0, 0, ...body])
    future.set([body.length & 0xff, body.length >> 8], 2)
    expect(() => decodeEdits(future)).toThrow(FormatVersionError)
  })

  test('refuse to write options that could not be read', () => {
    const bad = tableOptions({ ttlMs: -1 })
    expect(() => encodeEdits([{ type: 'alter-table', id: 1, options: bad }])).toThrow(/ttlMs/)
  })

  test('40: refuse options that are too long for the next checkpoint', () => {
    // As many characters as bytes: more than a writer takes, which counts three bytes for each.
    const text = JSON.stringify(tableOptions({ keys: 'k'.repeat(30_000) }))
    const body = new ByteWriter()
    body.varint(7)
    body.text(text)
    const payload = new ByteWriter()
    payload.u8(1)
    payload.u8(4)
    payload.u32(body.length)
    payload.bytes(body.take())
    expect(() => decodeEdits(payload.take())).toThrow(CorruptionError)
  })

  test('40: cut at any length are a typed error or fewer whole edits, never others', () => {
    const payload = encodeEdits(EVERY_EDIT)
    for (let length = 1; length < payload.length; length++) {
      const decoded = settle(payload.subarray(0, length))
      if (decoded === undefined) continue
      expect(decoded).toEqual(EVERY_EDIT.slice(0, decoded.length))
    }
  })

  test('40: of any bytes are edits or a typed error', () => {
    const valid = encodeEdits(EVERY_EDIT)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 }),
        (changes) => {
          const bytes = valid.slice()
          for (const [at, value] of changes) bytes[at] = value
          settle(bytes)
        },
      ),
      { numRuns: 2000 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void settle(bytes)))
  })

  test('40: do not believe a count before the things are there', () => {
    // add-files of 2^53 - 1 files, in a body of eight bytes.
    const body = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
    const hostile = Uint8Array.from([1, 6, body.length, 0, 0, 0, ...body])
    expect(() => decodeEdits(hostile)).toThrow(CorruptionError)
  })

  test('take a fresh incarnation', () => {
    const incarnation = ulid(systemEnv)
    const edits: Edit[] = [{ type: 'create-database', incarnation }]
    expect(decodeEdits(encodeEdits(edits))).toEqual(edits)
  })
})

function settle(bytes: Uint8Array): Edit[] | undefined {
  try {
    return decodeEdits(bytes)
  } catch (error) {
    if (error instanceof CorruptionError || error instanceof FormatVersionError) return undefined
    throw error
  }
}
