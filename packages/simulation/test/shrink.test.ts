import { expect, test } from 'vitest'
import type { DecisionMap } from '../src/decisions.js'
import { type Shrunk, shrink } from '../src/shrink.js'

/** Decisions as a run of three processes makes them: sessions, their steps, and requests. */
function manyDecisions(): Map<string, number> {
  const decisions = new Map<string, number>([['place', 1]])
  for (const life of ['writer1.1', 'writer2.1', 'reader1.1']) {
    for (let step = 0; step < 40; step++) {
      decisions.set(`${life}/0/${step}/operation`, 1 + (step % 17))
      decisions.set(`${life}/0/${step}/key`, 1 + step)
      decisions.set(`${life}/0/${step}/think`, 50)
      decisions.set(`${life}/store/get/latency#${step}`, 7)
    }
    decisions.set(`${life}/store/get/fault#3`, 2)
  }
  return decisions
}

/** Shrinks from there, where a run decides all that it is given and fails as `fails` says. */
function shrinkBy(fails: (decisions: DecisionMap) => boolean, mostRuns?: number): Promise<Shrunk> {
  const run = async (decisions: DecisionMap) => ({ fails: fails(decisions), made: decisions })
  return shrink(manyDecisions(), run, mostRuns === undefined ? {} : { mostRuns })
}

const FAULT = 'reader1.1/store/get/fault#3'
const EARLY = 'writer1.1/0/3/operation'
const LATE = 'writer2.1/0/37/key'

test('what makes a run fail is left, and nothing else', async () => {
  const needed = [EARLY, LATE, FAULT, 'writer1.1/store/get/latency#12']
  const { decisions, runs } = await shrinkBy((given) => needed.every((name) => given.has(name)))
  expect([...decisions.keys()].sort()).toEqual(needed.sort())
  expect(runs).toBeLessThan(400)
})

test('a run that fails whatever it decides has no decisions left after one', async () => {
  const { decisions, runs } = await shrinkBy(() => true)
  expect(decisions.size).toBe(0)
  expect(runs).toBeLessThan(12)
})

test('numbers are lowered as far as it takes', async () => {
  const { decisions } = await shrinkBy((given) => (given.get(LATE) ?? 0) >= 23)
  expect([...decisions]).toEqual([[LATE, 23]])
})

test('where a sum is what matters, few large numbers take the place of many', async () => {
  // As values fill a memtable: each has at most 50 bytes.
  const most = 50
  const run = async (decisions: DecisionMap) => {
    const made = new Map([...decisions].map(([name, value]) => [name, Math.min(value, most)]))
    const sizes = [...made].filter(([name]) => name.endsWith('/key')).map(([, value]) => value)
    return { fails: sizes.reduce((sum, size) => sum + size, 0) >= 4 * most, made }
  }
  const { decisions } = await shrink(manyDecisions(), run)
  expect([...decisions.values()]).toEqual([most, most, most, most])
})

test('what only has to be alike becomes one decision', async () => {
  // As every request has to take a while, however long.
  const run = async (decisions: DecisionMap) => {
    const everywhere = decisions.get('everywhere/latency') ?? 0
    const slow = [...manyDecisions().keys()]
      .filter((name) => name.includes('/latency'))
      .every((name) => (decisions.get(name) ?? everywhere) > 3)
    return { fails: slow && decisions.has(FAULT), made: decisions }
  }
  const { decisions } = await shrink(manyDecisions(), run)
  expect([...decisions].sort()).toEqual([
    ['everywhere/latency', 4],
    [FAULT, 1],
  ])
})

test('two decisions that only matter together are taken away together', async () => {
  const { decisions } = await shrinkBy(
    (given) => given.has(FAULT) && given.has(EARLY) === given.has(LATE),
  )
  expect([...decisions.keys()]).toEqual([FAULT])
})

test('what a smaller run never asks for is left out', async () => {
  const run = async (decisions: DecisionMap) => ({
    fails: decisions.has(FAULT),
    // Without a first step there are no others.
    made: decisions.has('writer1.1/0/0/operation')
      ? decisions
      : new Map([...decisions].filter(([name]) => !name.startsWith('writer1.1/'))),
  })
  const { decisions } = await shrink(manyDecisions(), run)
  expect([...decisions.keys()]).toEqual([FAULT])
})

test('it ends after as many runs as it may take, with one that fails', async () => {
  const needed = [...manyDecisions().keys()].filter((_, i) => i % 5 === 0)
  const fails = (given: DecisionMap): boolean => needed.every((name) => given.has(name))
  const { decisions, runs } = await shrinkBy(fails, 60)
  expect(runs).toBe(60)
  expect(fails(decisions)).toBe(true)
})
