import { BlockCache } from '@firn/block-cache'
import { ABSENT, FOUND, NOT_RESIDENT } from '@firn/mvcc'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memorySource, SstLookup, SstReader } from '../src/index.js'
import { drain, write } from './files.js'
import { from, inOrder, newest, type Row } from './sorted-array.js'

// Few distinct bytes and short keys: prefixes, equal heads, many versions of a key, empty keys.
const key = fc.oneof(
  fc.uint8Array({ min: 0, max: 2, maxLength: 6 }),
  fc
    .tuple(fc.constantFrom('', 'table/users/', 'tab'), fc.uint8Array({ maxLength: 12 }))
    .map(([prefix, rest]) => Uint8Array.from([...new TextEncoder().encode(prefix), ...rest])),
)
const row = fc.record<Row>({
  key,
  timestamp: fc.oneof(fc.nat(20), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  kind: fc.constantFrom(1, 1, 1, 0, 2),
  value: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.nat(700).map((length) => new Uint8Array(length).fill(length)),
  ),
})
const rows = fc
  .array(row, { maxLength: 120 })
  .map(inOrder)
  .map((sorted) =>
    sorted.map((each) => (each.kind === 0 ? { ...each, value: new Uint8Array(0) } : each)),
  )
const shape = fc.record({
  compression: fc.constantFrom('none' as const, 'lz4' as const, 'deflate' as const),
  blockBytes: fc.constantFrom(64, 200, 1024, 8192),
  filterBitsPerKey: fc.constantFrom(0, 10),
  indexPartitionBytes: fc.constantFrom(8, 30, 1_000_000),
})
const numRuns = LONG ? 5000 : 150
const timeout = 600_000

test(
  'answers lookups at any timestamp as a sorted array does',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        shape,
        fc.array(fc.tuple(key, fc.nat(25)), { maxLength: 20 }),
        fc.constantFrom(0, 2000, 1_000_000),
        async (model, options, probes, bytes) => {
          const { file } = write(model, options)
          const cache = new BlockCache({ bytes })
          const reader = await SstReader.open(memorySource(file), { cache })
          const lookup = new SstLookup()
          const asked: [Uint8Array, number][] = [
            ...probes,
            ...model.map((each): [Uint8Array, number] => [each.key, each.timestamp]),
            ...model.map((each): [Uint8Array, number] => [
              each.key,
              Math.max(0, each.timestamp - 1),
            ]),
          ]
          for (const [wanted, timestamp] of asked) {
            lookup.set(wanted, 0, wanted.length, timestamp)
            let status = reader.find(lookup)
            if (status === NOT_RESIDENT) {
              await reader.load(lookup)
              status = reader.find(lookup)
            }
            const expected = newest(model, wanted, timestamp)
            expect(status).toBe(expected === undefined ? ABSENT : FOUND)
            if (expected === undefined) continue
            expect(reader.mayContain(lookup)).toBe(true)
            expect({
              key: wanted,
              timestamp: lookup.foundTimestamp,
              kind: lookup.kind,
              value: lookup.valueBytes.slice(lookup.valueStart, lookup.valueEnd),
            }).toEqual(expected)
          }
          await reader.close()
        },
      ),
      { numRuns },
    )
  },
  timeout,
)

test(
  'yields in both directions, from any key, what a sorted array does',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        shape,
        fc.record(
          {
            reverse: fc.boolean(),
            fill: fc.boolean(),
            private: fc.boolean(),
            readAheadBytes: fc.constantFrom(0, 500, 100_000),
            expectedRows: fc.constantFrom(undefined, 1, 8, 30),
          },
          { requiredKeys: [] },
        ),
        fc.array(fc.tuple(key, fc.boolean()), { maxLength: 8 }),
        fc.constantFrom(0, 2000, 1_000_000),
        async (model, options, how, seeks, bytes) => {
          const { file } = write(model, options)
          const cache = new BlockCache({ bytes })
          const reader = await SstReader.open(memorySource(file), { cache })
          const cursor = reader.cursor(how)
          const reverse = how.reverse ?? false
          const all = reverse ? [...model].reverse() : model
          expect(await drain(cursor, cursor.first())).toEqual(all)
          const wanted = [
            ...seeks,
            ...model.slice(0, 10).map((r): [Uint8Array, boolean] => [r.key, false]),
          ]
          for (const [to, inclusive] of wanted) {
            const expected = from(model, to, inclusive, reverse)
            expect(await drain(cursor, cursor.seek(to, 0, to.length, inclusive))).toEqual(expected)
          }
          cursor.close()
          await reader.close()
        },
      ),
      { numRuns },
    )
  },
  timeout,
)

test(
  'verifies what it wrote, and opens to the summary that the writer gave',
  async () => {
    await fc.assert(
      fc.asyncProperty(rows, shape, async (model, options) => {
        const { file, summary } = write(model, options)
        const reader = await SstReader.open(memorySource(file), { size: summary.bytes })
        for (const [name, value] of Object.entries(summary)) {
          expect([name, reader[name as keyof typeof reader]]).toEqual([name, value])
        }
        expect(await reader.verify()).toEqual({
          blocks: summary.dataBlocks,
          records: model.length,
          bytes: reader.properties.dataBytes,
          problems: 0,
        })
        let blockRows = 0
        for await (const block of reader.blocks()) blockRows += block.rows
        expect(blockRows).toBe(model.length)
        await reader.close()
      }),
      { numRuns },
    )
  },
  timeout,
)
