import { expect, test } from 'vitest'
import { type DecisionMap, Decisions } from '../src/decisions.js'

function drawAll(decisions: Decisions): unknown[] {
  const step = decisions.scope('writer1.1').scope('7')
  return [
    decisions.choose('a', 10),
    decisions.between('b', 5, 8),
    decisions.pick('c', ['x', 'y', 'z']),
    decisions.around('d', 100),
    decisions.weigh('e', [0, 3, 1]),
    decisions.moment('f', 1000, 50),
    ...Array.from({ length: 20 }, () => step.choose('key', 1000)),
  ]
}

test('a record of decisions is the same run without its seed; without it all is dull', () => {
  const first = new Decisions(42)
  const drawn = drawAll(first)
  const again = new Decisions(0, first.made)
  expect(drawAll(again)).toEqual(drawn)
  expect(again.made).toEqual(first.made)
  const dull = [0, 5, 'x', 0, 0, 1000, ...new Array(20).fill(0)]
  expect(drawAll(new Decisions(42, new Map()))).toEqual(dull)
})

test('what comes up follows from its name, not from what was decided before', () => {
  const all = new Decisions(7)
  all.scope('writer1.1').choose('operation', 70)
  const [first, second] = [all, all].map(() => all.scope('reader1.1').choose('key', 1_000_000))
  const one = new Decisions(7).scope('reader1.1')
  expect([one.choose('key', 1_000_000), one.choose('key', 1_000_000)]).toEqual([first, second])
  expect(first).not.toBe(second)
})

test('taking one decision away leaves the others what they were', () => {
  const first = new Decisions(42)
  const drawn = drawAll(first)
  const fewer = new Map(first.made)
  expect(fewer.delete('writer1.1/7/key#4')).toBe(true)
  const changed = drawAll(new Decisions(42, fewer))
  expect(changed.map((value, i) => value === drawn[i]).indexOf(false)).toBe(10)
  expect(changed.filter((value, i) => value !== drawn[i])).toEqual([0])
})

test('a number of a record that is too large is the largest there is', () => {
  const record: DecisionMap = new Map([['a', 99]])
  expect(new Decisions(1, record).choose('a', 10)).toBe(9)
})

test('a record may decide alike what it has no decision of its own for', () => {
  const record: DecisionMap = new Map([
    ['everywhere/key', 7],
    ['writer1.1/7/key#4', 3],
    ['everywhere/never', 1],
  ])
  const replayed = new Decisions(1, record)
  const [, , , , , , ...keys] = drawAll(replayed)
  expect(keys).toEqual(Array.from({ length: 20 }, (_, i) => (i === 4 ? 3 : 7)))
  expect([...replayed.made]).toEqual([
    ['everywhere/key', 7],
    ['writer1.1/7/key#4', 3],
  ])
  // Each is cut to what it may be, and recorded as it is.
  expect(new Decisions(1, record).choose('key', 3)).toBe(2)
  expect(replayed.choose('key', 3)).toBe(2)
  expect(replayed.made.get('everywhere/key')).toBe(7)
})

test('a moment stays where it is when what came before it is taken away', () => {
  const first = new Decisions(3)
  const at = first.moment('at', 5000, 1000)
  expect(at).toBeGreaterThanOrEqual(5000)
  expect(new Decisions(3, first.made).moment('at', 0, 1000)).toBe(at)
})

test('each weight comes up as often as it weighs', () => {
  const decisions = new Decisions(11)
  const counts = [0, 0, 0]
  for (let i = 0; i < 10_000; i++) {
    const place = decisions.weigh('weights', [0, 3, 1])
    counts[place] = (counts[place] ?? 0) + 1
  }
  expect(counts[0]).toBe(0)
  expect(counts[1]).toBeGreaterThan(7300)
  expect(counts[1]).toBeLessThan(7700)
})

test('how likely something is is no decision', () => {
  const decisions = new Decisions(5)
  const rates = Array.from({ length: 20 }, (_, i) =>
    decisions.likelihood(`rate ${i}`, [0, 1, 2, 3]),
  )
  expect(new Set(rates).size).toBe(4)
  expect(decisions.made.size).toBe(0)
})
