import { CorruptionError, FormatVersionError, InvalidArgumentError } from '@firn/env'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeEdits,
  type Edit,
  RecordsWriter,
  readRecords,
  readSomeRecords,
} from '../src/index.js'
import { tableOptions } from './fixtures.js'

interface Plain {
  table: number
  key: number[]
  /** Absent in a delete. */
  value?: number[]
  kind: number
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((b) => [...b])
const record: fc.Arbitrary<Plain> = fc.oneof(
  fc.record({
    table: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(0xffffffff)),
    key: bytes(300),
    kind: fc.constant(0),
  }),
  fc.record({
    table: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(0xffffffff)),
    key: bytes(40),
    value: bytes(300),
    kind: fc.constantFrom(1, 2),
  }),
)

describe('records', () => {
  test('come back as they were put, behind the edits that were there before them', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 40 }), fc.nat(64), (records, initialBytes) => {
        const edits: Edit[] = [
          { type: 'create-table', id: 1, name: 't', options: tableOptions() },
          { type: 'gc-floor', version: 3 },
        ]
        const writer = new RecordsWriter(edits, initialBytes)
        for (const one of records) put(writer, one)
        expect(writer.records).toBe(records.length)
        const length = writer.byteLength
        const payload = writer.take()
        expect(payload).toHaveLength(length)
        const decoded = decodeEdits(payload)
        expect(decoded.slice(0, 2)).toEqual(edits)
        expect(visit(decoded[2])).toEqual(records)
        expect(decoded).toHaveLength(records.length === 0 ? 2 : 3)
      }),
    )
  })

  test('are read some at a time', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        (all, most) => {
          const writer = new RecordsWriter()
          for (const one of all) put(writer, one)
          const [edit] = decodeEdits(writer.take())
          const bytes = edit?.type === 'records' ? edit.bytes : new Uint8Array(0)
          const keys: number[][] = []
          for (let at = 0; at < bytes.length; ) {
            const before = keys.length
            at = readSomeRecords(bytes, at, most, (_table, _kind, of, keyStart, keyEnd) => {
              keys.push([...of.subarray(keyStart, keyEnd)])
            })
            expect(keys.length - before).toBe(Math.min(most, all.length - before))
          }
          expect(keys).toEqual(all.map(({ key }) => key))
        },
      ),
    )
  })

  test('of several writers become one payload, in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.array(record, { maxLength: 8 }), { maxLength: 5 }), (batches) => {
        const all = new RecordsWriter([{ type: 'drop-table', id: 9 }])
        for (const batch of batches) {
          const writer = new RecordsWriter()
          for (const one of batch) put(writer, one)
          all.append(writer)
          expect(writer.records).toBe(batch.length)
        }
        const [drop, records] = decodeEdits(all.take())
        expect(drop).toEqual({ type: 'drop-table', id: 9 })
        expect(records === undefined ? [] : visit(records)).toEqual(batches.flat())
      }),
    )
  })

  test('leave the writer empty when taken, and what was taken as it was', () => {
    const writer = new RecordsWriter([{ type: 'drop-table', id: 9 }], 16)
    const payloads: Uint8Array[] = []
    for (let i = 0; i < 50; i++) {
      for (let j = 0; j <= i; j++) writer.add(1, Uint8Array.of(i, j), new Uint8Array(i))
      payloads.push(writer.take())
      expect(writer.records).toBe(0)
      expect(writer.byteLength).toBe(0)
    }
    for (const [i, payload] of payloads.entries()) {
      const edits = decodeEdits(payload)
      expect(edits).toHaveLength(i === 0 ? 2 : 1)
      const keys = visit(edits.at(-1)).map(({ key }) => key)
      expect(keys).toEqual(Array.from({ length: i + 1 }, (_, j) => [i, j]))
      // A kept payload doesn't keep a buffer of many times its size in memory.
      expect(payload.buffer.byteLength).toBeLessThanOrEqual(Math.max(64, payload.length * 2))
    }
    expect(writer.take()).toHaveLength(0)
    writer.add(1, Uint8Array.of(1))
    writer.reset([{ type: 'gc-floor', version: 1 }])
    expect(decodeEdits(writer.take())).toEqual([{ type: 'gc-floor', version: 1 }])
  })

  test('that make no sense are refused', () => {
    const writer = new RecordsWriter()
    const key = Uint8Array.of(1)
    expect(() => writer.add(0, key, key)).toThrow(InvalidArgumentError)
    expect(() => writer.add(2 ** 32, key, key)).toThrow(InvalidArgumentError)
    expect(() => writer.add(1, key, key, 0)).toThrow(InvalidArgumentError)
    expect(() => writer.add(1, key, key, 3)).toThrow(InvalidArgumentError)
    expect(() => writer.add(1, key, undefined, 1)).toThrow(InvalidArgumentError)
    expect(writer.records).toBe(0)
  })

  test('37, 40: of a kind from the future, or damaged, are typed errors', () => {
    const ignore = () => {}
    expect(() => readRecords(Uint8Array.of(1, 3, 0, 0), ignore)).toThrow(FormatVersionError)
    for (const damaged of [
      [0, 1, 0, 0],
      [1],
      [1, 1],
      [1, 1, 5, 0],
      [1, 1, 0, 1],
      [1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0],
      [1, 1, 0x80, 0x00, 0],
      [0x80],
    ]) {
      expect(() => readRecords(Uint8Array.from(damaged), ignore)).toThrow(CorruptionError)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (any) => {
        let end = 0
        try {
          readRecords(any, (table, _kind, same, keyStart, keyEnd, valueStart, valueEnd) => {
            expect(same).toBe(any)
            expect(table).toBeGreaterThan(0)
            expect(keyStart).toBeGreaterThan(end)
            expect([keyEnd >= keyStart, valueStart === keyEnd, valueEnd >= valueStart]).toEqual([
              true,
              true,
              true,
            ])
            expect(valueEnd).toBeLessThanOrEqual(any.length)
            end = valueEnd
          })
          expect(end).toBe(any.length)
        } catch (error) {
          if (!(error instanceof CorruptionError || error instanceof FormatVersionError))
            throw error
        }
      }),
      { numRuns: 2000 },
    )
  })
})

function put(writer: RecordsWriter, { table, key, value, kind }: Plain): void {
  // Ranges in the middle of larger arrays, as in the engine.
  const keyBytes = Uint8Array.from([9, 9, ...key, 9])
  const valueBytes = Uint8Array.from([8, ...(value ?? []), 8, 8])
  const valueEnd = 1 + (value?.length ?? 1)
  writer.put(table, kind, keyBytes, 2, 2 + key.length, valueBytes, 1, valueEnd)
}

function visit(edit: Edit | undefined): Plain[] {
  if (edit?.type !== 'records') return []
  const records: Plain[] = []
  const count = readRecords(
    edit.bytes,
    (table, kind, at, keyStart, keyEnd, valueStart, valueEnd) => {
      const key = [...at.subarray(keyStart, keyEnd)]
      const value = [...at.subarray(valueStart, valueEnd)]
      records.push(kind === 0 ? { table, key, kind } : { table, key, value, kind })
    },
  )
  expect(count).toBe(records.length)
  return records
}
