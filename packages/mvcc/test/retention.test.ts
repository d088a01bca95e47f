import { InvalidArgumentError } from '@firn/env'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DROP,
  horizonOf,
  KEEP,
  KEEP_IF_OLDER_STAYS,
  KeyRetention,
  type KeyRetentionOptions,
  KIND_DELETE,
  KIND_MERGE,
  versionsOf,
} from '../src/index.js'
import { compareRecords, type VersionedRecord } from '../src/testing.js'
import { picture, records } from './picture.js'

/** What a compaction does with the versions of one key. */
function retain(
  versions: readonly VersionedRecord[],
  options: KeyRetentionOptions,
  bottommost: boolean,
): { kept: VersionedRecord[]; floor: number } {
  const retention = new KeyRetention(options)
  const kept: VersionedRecord[] = []
  let deferred: VersionedRecord | undefined
  retention.begin()
  for (const version of versions) {
    const decision = retention.keep(version.timestamp, version.kind, bottommost)
    if (decision === DROP) continue
    if (deferred !== undefined) kept.push(deferred)
    deferred = decision === KEEP_IF_OLDER_STAYS ? version : undefined
    if (decision === KEEP) kept.push(version)
  }
  return { kept, floor: retention.floor }
}

/** What a reader at a timestamp gets: a value, or the chain of operands down to one. */
function read(versions: readonly VersionedRecord[], timestamp: number): string {
  const seen: string[] = []
  for (const version of versions) {
    if (version.timestamp > timestamp) continue
    if (version.kind === KIND_DELETE) break
    seen.push(picture([version]))
    if (version.kind !== KIND_MERGE) break
  }
  return seen.join(' ')
}

describe('KeyRetention', () => {
  test.each([
    // versions, horizon, versions to keep, bottommost → what stays, floor
    ['a@9=c a@5=b a@2=a', 0, 0, true, 'a@9=c a@5=b a@2=a', 0],
    ['a@9=c a@5=b a@2=a', 4, 0, true, 'a@9=c a@5=b a@2=a', 0],
    ['a@9=c a@5=b a@2=a', 5, 0, true, 'a@9=c a@5=b', 5],
    ['a@9=c a@5=b a@2=a', 99, 0, true, 'a@9=c', 9],
    ['a@9=c a@5=b a@2=a', 99, 2, true, 'a@9=c a@5=b', 5],
    ['a@9=c a@5=b a@2=a', 99, 7, true, 'a@9=c a@5=b a@2=a', 0],
    // A delete that is the newest version hides what may lie below.
    ['a@9! a@5=b', 99, 0, false, 'a@9!', 9],
    ['a@9! a@5=b', 99, 0, true, '', 9],
    ['a@9! a@5=b', 8, 0, true, 'a@9! a@5=b', 0],
    ['a@9!', 9, 0, true, '', 0],
    ['a@9!', 8, 0, true, 'a@9!', 0],
    // A delete between two puts.
    ['a@9=c a@5! a@2=a', 6, 0, true, 'a@9=c', 5],
    ['a@9=c a@5! a@2=a', 6, 0, false, 'a@9=c a@5!', 5],
    ['a@9=c a@5! a@2=a', 99, 0, false, 'a@9=c', 9],
    ['a@9=c a@5! a@2=a', 99, 2, true, 'a@9=c a@5! a@2=a', 0],
    ['a@9=c a@5! a@2=a', 99, 1, true, 'a@9=c', 5],
    // A counted history holds its deletes only as long as there is something for them to hide.
    ['a@9! a@5=b', 99, 1, true, 'a@9! a@5=b', 0],
    ['a@9!', 99, 1, true, '', 0],
    ['a@9!', 99, 1, false, 'a@9!', 0],
    // Merge operands hold what they build on.
    ['a@9+3 a@5+2 a@2=1', 99, 0, true, 'a@9+3 a@5+2 a@2=1', 0],
    ['a@9+3 a@5=2 a@2=1', 99, 0, true, 'a@9+3 a@5=2', 5],
    ['a@9+3 a@5! a@2=1', 99, 0, true, 'a@9+3', 5],
  ])(
    '%s, horizon %i, %i versions, bottommost %s',
    (list, horizon, versions, bottommost, kept, floor) => {
      const result = retain(records(list), { horizon, versions }, bottommost)
      expect(picture(result.kept)).toBe(kept)
      expect(result.floor).toBe(floor)
    },
  )

  test('changes nothing for readers at or after the floor, and keeps the floor within the horizon', () => {
    const version = fc.record({
      key: fc.constant(new Uint8Array([97])),
      timestamp: fc.integer({ min: 1, max: 30 }),
      kind: fc.integer({ min: 0, max: 2 }),
      value: fc.uint8Array({ maxLength: 1 }),
    })
    const unique = fc.uniqueArray(version, { maxLength: 14, selector: (v) => v.timestamp })
    fc.assert(
      fc.property(
        unique.map((list) => list.sort(compareRecords)),
        fc.nat({ max: 14 }),
        fc.nat({ max: 32 }),
        fc.nat({ max: 4 }),
        (all, deeper, horizon, versions) => {
          // The oldest versions lie in a deeper level, which this compaction doesn't see.
          const shown = all.slice(0, Math.max(0, all.length - deeper))
          const below = all.slice(shown.length)
          const { kept, floor } = retain(shown, { horizon, versions }, below.length === 0)
          expect(floor).toBeLessThanOrEqual(horizon)
          for (let t = floor; t <= 32; t++) expect(read([...kept, ...below], t)).toBe(read(all, t))
          const puts = shown.filter((v) => v.kind !== KIND_DELETE)
          for (const put of puts.slice(0, versions)) expect(kept).toContain(put)
          // Nothing stays without a reason, so doing it again changes nothing. (A counted history
          // lets one of several deletes in a row go at a time.)
          if (versions === 0) {
            expect(retain(kept, { horizon, versions }, below.length === 0).kept).toEqual(kept)
          }
        },
      ),
      { numRuns: LONG ? 40_000 : 2000 },
    )
  })

  test('leaves one version per key, or none, where no history is kept', () => {
    const all = records('a@9=c a@8! a@7=b a@6! a@5!')
    expect(retain(all, { horizon: 99 }, true).kept.length).toBe(1)
    expect(retain(all.slice(1), { horizon: 99 }, true).kept.length).toBe(0)
  })

  test('refuses what is no horizon and no count', () => {
    expect(() => new KeyRetention({ horizon: -1 })).toThrow(InvalidArgumentError)
    expect(() => new KeyRetention({ horizon: Number.NaN })).toThrow(InvalidArgumentError)
    expect(() => new KeyRetention({ horizon: 1, versions: 1.5 })).toThrow(InvalidArgumentError)
  })
})

describe('horizonOf', () => {
  const now = 1_700_000_000_000_000
  test('is as far back as the retention says', () => {
    expect(horizonOf('none', now)).toBe(now)
    expect(horizonOf('all', now)).toBe(0)
    expect(horizonOf({ durationMs: 3_600_000 }, now)).toBe(now - 3_600_000_000)
    expect(horizonOf({ durationMs: 1e15 }, now)).toBe(0)
    expect(horizonOf({ versions: 3 }, now)).toBe(now)
    expect([versionsOf({ versions: 3 }), versionsOf('none'), versionsOf('all')]).toEqual([3, 0, 0])
  })

  test('is held back by whoever still reads', () => {
    expect(horizonOf('none', now, [now + 5, 77, 99])).toBe(77)
    expect(horizonOf('all', now, [77])).toBe(0)
  })
})
