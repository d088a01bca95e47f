import { compareBytes } from '@firn/bytes'
import type { DatabaseState, FileMeta } from '@firn/manifest'
import type { HistoryRetention } from '@firn/mvcc'
import type { VersionedRecord } from '@firn/mvcc/testing'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planInputs } from '../src/index.js'
import { SmallDatabase } from './small-database.js'

const leveled = {
  level0Trigger: 2,
  level0Limit: 5,
  levelBaseBytes: 3000,
  multiplier: 3,
  targetFileBytes: 1500,
}
const histories: HistoryRetention[] = ['none', { durationMs: 8 }, { versions: 2 }, 'all']
// Half of the writes hit three keys of the first table, where deletes and flushes must meet.
const place = fc.oneof(
  fc.record({ table: fc.constant(1), k: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ table: fc.integer({ min: 1, max: 4 }), k: fc.integer({ min: 0, max: 7 }) }),
)

const write = fc
  .tuple(place, fc.boolean(), fc.integer({ min: 0, max: 120 }))
  .map(([{ table, k }, isDelete, length]) =>
    isDelete ? `${table}:key${k}!` : `${table}:key${k}=${'v'.repeat(length)}`,
  )
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      writes: fc.array(write, { minLength: 1, maxLength: 8 }),
      asFile: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('two at once' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pin' as const), name: fc.constantFrom('p', 'q') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('drop' as const),
      table: fc.integer({ min: 1, max: 4 }),
    }),
  },
)

/**
 * Levels sorted and disjoint, files where they say they are, outputs with timestamps of their own.
 */
function expectWellFormed(state: DatabaseState): void {
  for (const table of state.tables.values()) {
    for (const [i, files] of table.levels.entries()) {
      let before: FileMeta | undefined
      for (const file of files) {
        expect(file.level).toBe(i + 1)
        expect(file.records).toBeGreaterThan(0)
        if (before !== undefined)
          expect(compareBytes(before.largest, file.smallest)).toBeLessThan(0)
        before = file
      }
    }
  }
}

function picture(list: readonly VersionedRecord[]): string {
  return list.map((r) => `${r.key.slice(4).join()}@${r.timestamp}=${r.value.length}`).join(' ')
}

async function expectReadsAsWritten(database: SmallDatabase): Promise<void> {
  const { state } = database
  for (const table of state.tables.values()) {
    const moments: number[] = []
    for (let at = table.historyFloor; at <= state.timestamp; at += 1000) moments.push(at)
    const expected = moments.map((at) => picture(database.model(table.id, at)))
    expect((await database.read(table.id, moments)).map(picture)).toEqual(expected)
  }
}

describe('compaction', () => {
  test('leaves every read at or after the floor as it was, through any sequence of events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const database = new SmallDatabase(histories, leveled)
        for (const now of steps) {
          if (now.do === 'commit') await database.commit(now.writes, now.asFile)
          else if (now.do === 'flush') await database.flush()
          else if (now.do === 'compact') await database.compactOnce()
          else if (now.do === 'two at once') {
            const first = database.plan()
            const busy = new Set((first === undefined ? [] : planInputs(first)).map(({ id }) => id))
            const second = database.plan({ busy })
            const results = []
            for (const plan of [second, first]) if (plan) results.push(await database.run(plan))
            for (const result of results) database.commitResult(result)
          } else if (now.do === 'pin' && !database.state.pins.has(now.name)) {
            const { version, timestamp } = database.state
            database.append([{ type: 'pin', pin: { name: now.name, version, timestamp } }])
          } else if (now.do === 'drop' && database.state.tables.has(now.table)) {
            database.append([{ type: 'drop-table', id: now.table }])
          }
          expectWellFormed(database.state)
        }
        await expectReadsAsWritten(database)
        await database.flush()
        await database.compactAll()
        expectWellFormed(database.state)
        await expectReadsAsWritten(database)
        for (const pin of database.state.pins.values()) {
          for (const table of database.state.tables.values()) {
            expect(table.historyFloor).toBeLessThanOrEqual(Math.max(pin.timestamp, 0))
          }
        }
      }),
      { numRuns: LONG ? 5000 : 300 },
    )
  }, 300_000)

  test('does not bring a deleted key back whose last write was not flushed yet', async () => {
    const database = new SmallDatabase(['none'], leveled)
    await database.commit(['1:key=old'])
    await database.commit(['1:key!', '1:other=x'], true)
    await database.commit(['1:other=y'], true)
    expect(await database.compactAll()).toBeGreaterThan(0)
    await database.flush()
    await expectReadsAsWritten(database)
  })

  test('does not bring a deleted key back that a file above still holds', async () => {
    const database = new SmallDatabase(['none'], leveled)
    await database.commit(['1:key=old'])
    await database.commit(['1:key!', '1:other=x'], true)
    await database.commit(['1:other=y'], true)
    await database.flush()
    // The flush is left out, as it were being compacted: the delete must stay with the others.
    const flushed = database.state.level0.filter(({ commitFile }) => !commitFile)
    await database.compactOnce({ poisoned: new Set(flushed.map(({ id }) => id)) })
    expect(database.state.level0).toEqual(flushed)
    await expectReadsAsWritten(database)
  })
})
