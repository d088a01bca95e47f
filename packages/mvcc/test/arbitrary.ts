import fc from 'fast-check'
import type { RecordCursor } from '../src/index.js'
import { ArrayCursor, compareRecords, type VersionedRecord } from '../src/testing.js'

/** Keys that share long prefixes, contain zeros, and are prefixes of each other. */
export const keys: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 3 }) },
  fc
    .tuple(
      fc.constantFrom('', 'shared/prefix/', 'shared/prefix/of/some/length/', 'table\0\0\0\u0001'),
      fc.array(fc.constantFrom(0, 0x30, 0x31, 0xff), { maxLength: 9 }),
    )
    .map(([prefix, rest]) => Uint8Array.from([...new TextEncoder().encode(prefix), ...rest])),
)

export function recordLists(
  options: { sources: number; maxTimestamp: number } = { sources: 9, maxTimestamp: 12 },
): fc.Arbitrary<VersionedRecord[][]> {
  const pool = fc.uniqueArray(keys, {
    minLength: 1,
    maxLength: 12,
    selector: (key) => key.join(),
  })
  return pool.chain((present) => {
    const record = fc.record({
      key: fc.constantFrom(...present),
      timestamp: fc.integer({ min: 1, max: options.maxTimestamp }),
      kind: fc.integer({ min: 0, max: 1 }),
      value: fc.uint8Array({ maxLength: 4 }),
    })
    const source = fc
      .uniqueArray(record, {
        maxLength: 25,
        selector: ({ key, timestamp }) => `${key.join()}@${timestamp}`,
      })
      .map((list) => list.sort(compareRecords))
    return fc.array(source, { maxLength: options.sources })
  })
}

/** How the cursors under test behave, drawn at random. */
export const manners: fc.Arbitrary<{ reverse: boolean; stable: boolean; waits: boolean[] }> =
  fc.record({
    reverse: fc.boolean(),
    stable: fc.boolean(),
    waits: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
  })

export function cursorOf(
  list: readonly VersionedRecord[],
  { reverse, stable, waits }: { reverse: boolean; stable: boolean; waits: boolean[] },
): RecordCursor {
  let move = 0
  return new ArrayCursor(list, {
    reverse,
    stable,
    waits: () => waits[move++ % waits.length] === true,
  })
}
