import { describe, expect, test } from 'vitest'
import { describePlan, type LeveledOptions, planInputs, planLeveled } from '../src/index.js'
import { type PictureOptions, planPicture, stateOf } from './picture.js'

// Sizes small enough to read: L1 may hold 100 bytes, L2 1000; files end at 40.
const options: LeveledOptions = { now: 1000, levelBaseBytes: 100, targetFileBytes: 40 }

function plan(picture: string, more: Partial<LeveledOptions> = {}, state: PictureOptions = {}) {
  return planPicture(planLeveled(stateOf(picture, state), { ...options, ...more }))
}

const named = (...ids: string[]) => ({ busy: new Set(ids) })

describe('level 0', () => {
  test('is left alone below its trigger', () => {
    expect(plan('tables 1\nL0 c 1:a-1:z 40 @30 b 1:a-1:z 40 @20 a 1:a-1:z 40 @10')).toBe('nothing')
  })

  const four = 'L0 d 1:a-1:m 40 @40 c 1:c-1:k 40 @30 b 1:a-1:f 40 @20 a 1:b-1:p 40 @10'

  test('is merged into L1 with all that lies between its keys', () => {
    expect(plan(`tables 1\n${four}`)).toBe('merge [d] [c] [b] [a] → L1 tables 1')
    expect(
      plan(`tables 1\n${four}\n1.L1 w 1:A-1:B 9 @1 x 1:a-1:d 9 @1 y 1:e-1:g 9 @1 z 1:q-1:z 9 @1`),
    ).toBe('merge [d] [c] [b] [a] [x y] → L1 tables 1')
  })

  test('waits while most of the work would be writing L1 again', () => {
    expect(plan(`tables 1\n${four}\n1.L1 x 1:a-1:k 480 @1`, { levelBaseBytes: 9999 })).toContain(
      'merge',
    )
    expect(plan(`tables 1\n${four}\n1.L1 x 1:a-1:k 481 @1`, { levelBaseBytes: 9999 })).toBe(
      'nothing',
    )
  })

  test('takes files that hold several tables with L1 of each of them', () => {
    const picture = `tables 1 2 3
      L0 d 1:a-3:m 40 @40 c 1:c-2:k 40 @30 b 3:a-3:f 40 @20 a 1:b-1:p 40 @10
      1.L1 x 1:a-1:d 9 @1
      2.L1 y 2:q-2:z 9 @1
      3.L1 z 3:x-3:z 9 @1`
    expect(plan(picture)).toBe('merge [d] [c] [b] [a] [x] [y] → L1 tables 1,2,3')
  })

  test('leaves out a table of which no file can hold anything', () => {
    const picture = `tables 1 2 3
      L0 d 1:a-1:m 40 @40 c 1:c-1:k 40 @30 b 3:a-3:f 5 @20 a 1:b-1:p 40 @10
      2.L1 y 2:q-2:z 9 @1`
    expect(plan(picture)).toBe('merge [d] [c] [b] [a] → L1 tables 1,3')
  })

  test('moves files that are in their place already: a sequential load rewrites nothing', () => {
    const picture = `tables 1
      L0 d 1:m-1:o 40 @40 c 1:j-1:l 40 @30 b 1:g-1:i 40 @20 a 1:d-1:f 40 @10
      1.L1 x 1:a-1:c 40 @1`
    expect(plan(picture)).toBe('move d → 1.L1, c → 1.L1, b → 1.L1, a → 1.L1')
  })

  test('does not move what overlaps another file, spans tables, or is small', () => {
    const picture = `tables 1 2
      L0 e 1:a-1:c 40 @50 d 1:b-1:d 40 @40 c 1:x-2:b 40 @30 b 1:p-1:q 5 @20 a 1:g-1:h 40 @10`
    expect(plan(picture)).toBe('move a → 1.L1')
    expect(plan(picture.replace(' a 1:g-1:h 40 @10', ''))).toBe(
      'merge [e] [d] [c] [b] → L1 tables 1,2',
    )
  })

  const l1 = '1.L1 x 1:a-1:k 50 @1 y 1:l-1:z 50 @1'

  test('is emptied on demand, though most of the work is writing L1 again', () => {
    const picture = 'tables 1\nL0 a 1:a-1:k 2 @10\n1.L1 x 1:a-1:k 480 @1'
    expect(plan(picture, { levelBaseBytes: 9999 })).toBe('nothing')
    expect(plan(picture, { levelBaseBytes: 9999, emptyLevel0: true })).toBe(
      'merge [a] [x] → L1 tables 1',
    )
  })

  test('never writes one small file again as it is', () => {
    const picture = 'tables 1\nL0 a 1:a-1:k 2 @10\n1.L1 x 1:a-1:k 480 @1'
    expect(plan(picture, { levelBaseBytes: 9999, level0Trigger: 1 })).toBe('nothing')
  })

  test('never writes small files again that were cut where a large value compressed well', () => {
    const state = stateOf(`tables 1\nL0 b 1:m-1:p 3 @40 a 1:a-1:k 2 @30\n${l1}`)
    const planned = (rawValueBytes: number, state0 = state) =>
      planPicture(
        planLeveled(
          { ...state0, level0: state0.level0.map((file) => ({ ...file, rawValueBytes })) },
          { ...options, level0Trigger: 1 },
        ),
      )
    expect(planned(41)).toBe('nothing')
    expect(planned(5)).toBe('merge [b] [a] → L0 tables 1')
    // Where they overlap, there are fewer to look into afterwards.
    const overlapping = stateOf(`tables 1\nL0 b 1:c-1:p 3 @40 a 1:a-1:k 2 @30\n${l1}`)
    expect(planned(41, overlapping)).toBe('merge [b] [a] → L0 tables 1')
  })

  test('merges small files among themselves while L1 would cost more', () => {
    const small = 'L0 d 1:a-1:z 2 @40 c 1:a-1:z 3 @30 b 1:a-1:z 2 @20 a 1:a-1:z 4 @10'
    expect(plan(`tables 1\n${small}\n${l1}`)).toBe('merge [d] [c] [b] [a] → L0 tables 1')
    // With little below, they go there at once.
    expect(plan(`tables 1\n${small}\n1.L1 x 1:a-1:k 4 @1`)).toBe(
      'merge [d] [c] [b] [a] [x] → L1 tables 1',
    )
  })

  test('leaves out what is larger than all the newer ones together, and what is not small', () => {
    const files = 'd 1:a-1:z 1 @40 c 1:a-1:z 1 @30 b 1:a-1:z 1 @20 a 1:a-1:z 1 @10'
    expect(plan(`tables 1\nL0 ${files} o 1:a-1:z 4 @9 p 1:a-1:z 9 @8\n${l1}`)).toBe(
      'merge [d] [c] [b] [a] [o] → L0 tables 1',
    )
    expect(plan(`tables 1\nL0 n 1:a-1:z 9 @90 big 1:a-1:z 12 @50 ${files}\n${l1}`)).toBe(
      'merge [d] [c] [b] [a] → L0 tables 1',
    )
    expect(
      plan(`tables 1\nL0 d 1:a-1:z 1 @40 c 1:a-1:z 2 @30 b 1:a-1:z 4 @20 a 1:a-1:z 9 @10\n${l1}`),
    ).toBe('nothing')
  })

  test('goes to L1 at its limit, whatever L1 costs', () => {
    const files = Array.from({ length: 12 }, (_, i) => `f${i} 1:a-1:z 10 @${90 - i}`).join(' ')
    expect(
      plan(`tables 1\nL0 ${files}\n1.L1 x 1:a-1:z 999 @1`, { levelBaseBytes: 9999 }),
    ).toContain('→ L1')
  })

  test('bounds what one plan takes, oldest first', () => {
    const files = Array.from({ length: 20 }, (_, i) => `f${i} 1:a-1:z 100 @${90 - i}`).join(' ')
    // 16 target sizes are 640 bytes.
    expect(plan(`tables 1\nL0 ${files}`)).toBe(
      'merge [f14] [f15] [f16] [f17] [f18] [f19] → L1 tables 1',
    )
  })

  test('waits for plans that are under way where their output may come', () => {
    const picture = `tables 1\n${four} \n1.L1 x 1:a-1:d 9 @1 y 1:e-1:g 9 @1`
    expect(plan(picture, named('y'))).toBe('nothing')
    // e … h don't overlap what is being merged, nor each other; but its output may span them.
    const busy = `tables 1
      L0 h 1:n-1:o 40 @80 g 1:l-1:m 40 @70 f 1:j-1:k 40 @60 e 1:h-1:i 40 @50 b 1:y-1:z 40 @20 a 1:a-1:b 40 @10`
    expect(plan(busy)).toContain('move')
    expect(plan(busy, named('a', 'b'))).toBe('nothing')
  })

  test('merges within itself while L1 is blocked and it grows', () => {
    const twelve = Array.from({ length: 12 }, (_, i) => `f${i} 1:a-1:z 40 @${90 - i}`).join(' ')
    const all = Array.from({ length: 12 }, (_, i) => `[f${i}]`).join(' ')
    const picture = `tables 1\nL0 ${twelve}\n1.L1 x 1:a-1:z 40 @1`
    expect(plan(picture, { poisoned: new Set(['x']) })).toBe(`merge ${all} → L0 tables 1`)
  })

  test('does not merge files side by side again and again while L1 is blocked', () => {
    const keys = 'abcdefghijkl'.split('')
    const apart = keys.map((k, i) => `f${i} 1:${k}-1:${k} 40 @${90 - i}`).join(' ')
    const picture = `tables 1\nL0 ${apart}\n1.L1 x 1:a-1:z 40 @1`
    expect(plan(picture, { poisoned: new Set(['x']) })).toBe('nothing')
  })

  test('36: leaves a damaged file alone and goes on with the others', () => {
    const picture = `tables 1\nL0 e 1:a-1:z 40 @50 ${four.slice(3)}`
    expect(plan(picture, { poisoned: new Set(['c']) })).toBe('merge [e] [d] [b] [a] → L1 tables 1')
  })
})

describe('deeper levels', () => {
  test('are left alone within their limits', () => {
    expect(plan('tables 1\n1.L1 a 1:a-1:c 50 @1 b 1:d-1:f 50 @1\n1.L2 c 1:a-1:f 1000 @1')).toBe(
      'nothing',
    )
  })

  test('merge the file with the least overlap for its size', () => {
    const picture = `tables 1
      1.L1 a 1:a-1:c 50 @3 b 1:d-1:f 50 @2 c 1:g-1:i 50 @1
      1.L2 p 1:a-1:b 60 @1 q 1:c-1:d 60 @1 r 1:e-1:f 60 @1 s 1:g-1:i 60 @1`
    expect(plan(picture)).toBe('merge [c] [s] → L2 tables 1')
    expect(plan(picture, named('s'))).toBe('merge [b] [q r] → L2 tables 1')
    expect(plan(picture, { poisoned: new Set(['s', 'q']) })).toBe('nothing')
  })

  test('move what overlaps nothing, oldest first, until the level is in its limits', () => {
    const picture = `tables 1
      1.L1 a 1:a-1:c 50 @9 b 1:d-1:f 50 @7 c 1:g-1:i 50 @1 d 1:j-1:l 50 @5
      1.L2 p 1:g-1:h 60 @1`
    expect(plan(picture)).toBe('move d → 1.L2, b → 1.L2, a → 1.L2')
  })

  test('work on the level that is most over its limit, of any table', () => {
    const picture = `tables 1 2
      1.L1 a 1:a-1:c 120 @1
      2.L2 b 2:a-2:c 1500 @1
      L0 w 1:a-1:z 40 @40 x 1:a-1:z 40 @30 y 1:a-1:z 40 @20 z 1:a-1:z 40 @10`
    expect(plan(picture)).toBe('move b → 2.L3')
    expect(plan(picture.replace('1500', '1100'))).toBe('move a → 1.L2')
    expect(plan(picture.replace('1500', '900').replace('120', '90'))).toContain('merge [w]')
  })

  test('hold a tenth of the next one, so that a tree takes little more space than its last level', () => {
    const l3 = (bytes: number) => `tables 1
      1.L2 a 1:a-1:c 60 @9 b 1:d-1:f 60 @7
      1.L3 p 1:a-1:z ${bytes} @1`
    expect(plan(l3(1200))).toBe('nothing')
    expect(plan(l3(1199))).toBe('merge [b] [p] → L3 tables 1')
  })

  test('end at the deepest', () => {
    expect(plan('tables 1\n1.L2 a 1:a-1:c 9999 @1', { maxLevel: 2 })).toBe('nothing')
  })

  test('never plan an overlap with what a plan under way may write', () => {
    const picture = `tables 1
      1.L1 a 1:a-1:b 60 @9 b 1:k-1:l 60 @7 c 1:f-1:g 60 @1`
    // a and b are on their way to L2 in one plan; its output may span c.
    expect(plan(picture, named('a', 'b'))).toBe('nothing')
    expect(plan(picture.replace('60 @1', '160 @1'), named('a', 'b'))).toBe('nothing')
    expect(plan(picture.replace('1:f-1:g 60 @1', '1:m-1:n 160 @1'), named('a', 'b'))).toBe(
      'move c → 1.L2',
    )
  })
})

describe('space', () => {
  test('drops files of dropped tables alone', () => {
    const picture = `tables 2
      L0 d 3:a-4:m 40 @40 c 1:c-3:k 40 @30 b 1:a-1:f 40 @20`
    expect(plan(picture)).toBe('drop d b')
    expect(plan(picture, named('d', 'b'))).toBe('nothing')
  })

  const deletes = 'tables 1\n1.L1 a 1:a-1:c 20 @1-40 deletes=5/10\n1.L2 z 1:x-1:z 50 @1'

  test('writes a file of deletes again when all of them can go', () => {
    expect(plan(deletes)).toBe('merge [a] → L1 tables 1')
    expect(plan(deletes.replace('5/10', '2/10'))).toBe('nothing')
  })

  test('does not when they are within history, unflushed writes or another file could be hidden', () => {
    expect(plan(deletes, { now: 39 })).toBe('nothing')
    expect(plan(deletes, { heldBy: [39] })).toBe('nothing')
    expect(plan(deletes, { flushedTimestamp: 39 })).toBe('nothing')
    expect(plan(deletes, {}, { flushedThrough: 99 })).toBe('nothing')
    expect(plan(deletes, { flushedTimestamp: 40 }, { flushedThrough: 99 })).toContain('merge')
    expect(plan(deletes, {}, { history: 'all' })).toBe('nothing')
    expect(plan(deletes, {}, { history: { versions: 1 } })).toBe('nothing')
    expect(plan(deletes.replace('1:x-', '1:b-'))).toBe('nothing')
    expect(plan(deletes.replace('1:x-1:z 50 @1', '1:b-1:z 50 @41'))).toContain('merge')
  })
})

describe('a plan', () => {
  const picture = `tables 1
    L0 d 1:a-1:m 40 @40 deletes=1/9 c 1:c-1:k 40 @30 b 1:a-1:f 40 @20 a 1:b-1:p 40 @10
    1.L1 x 1:a-1:d 9 @1
    1.L2 y 1:c-1:z 9 @1 z 1:q-1:z 9 @1
    1.L3 w 1:a-1:b 9 @2`

  test('says what a delete could hide outside of it', () => {
    const made = planLeveled(stateOf(picture), options)
    if (made?.type !== 'merge') throw new Error('not a merge')
    expect(made.tables[0]?.others.map(({ minTimestamp }) => minTimestamp)).toEqual([1, 2])
    const without = planLeveled(stateOf(picture.replace('deletes=1/9', '')), options)
    expect(without?.type === 'merge' && without.tables[0]?.others).toEqual([])
  })

  test('holds horizons back for pins that are in force, and for readers', () => {
    const state = stateOf(picture, { history: { durationMs: 0.9 } })
    const pins = new Map([
      ['kept', { name: 'kept', version: 5, timestamp: 55 }],
      ['over', { name: 'over', version: 5, timestamp: 5, expiresAt: 99 }],
    ])
    const horizon = (more: Partial<LeveledOptions>, held = false) => {
      const made = planLeveled(held ? { ...state, pins } : state, { ...options, ...more })
      return made?.type === 'merge' ? made.tables[0]?.horizon : undefined
    }
    expect(horizon({})).toBe(100)
    expect(horizon({ heldBy: [77] })).toBe(77)
    expect(horizon({}, true)).toBe(55)
    expect(horizon({ horizons: new Map([[1, 30]]) })).toBe(30)
    expect(horizon({ horizons: new Map([[1, 90]]) }, true)).toBe(55)
  })

  test('is plain data that explains itself, and is the same for the same state', () => {
    const made = planLeveled(stateOf(picture), options)
    if (made === undefined) throw new Error('no plan')
    expect(structuredClone(made)).toEqual(made)
    expect(planLeveled(stateOf(picture), options)).toEqual(made)
    expect(describePlan(made)).toBe(
      'merge 4 of L0 + 1 of L1 → L1: level 0 has 4 files, 4 call for a merge',
    )
    expect(planInputs(made).map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a', 'x'])
  })
})
