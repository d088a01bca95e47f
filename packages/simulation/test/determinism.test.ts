import { LONG } from '@firn/test-support'
import { expect, test } from 'vitest'
import { failureInWords } from '../src/command/failure-in-words.js'
import { PLACE_KINDS } from '../src/place.js'
import { runSeed } from '../src/run-seed.js'
import { runSeeds } from '../src/runner/run-seeds.js'

const SEEDS = LONG ? 30 : 4

test(`a seed is the same twice, for ${SEEDS} seeds`, { timeout: 1_200_000 }, async () => {
  const { failed, runs } = await runSeeds({ seeds: SEEDS, twice: true })
  const failures = failed.map(({ seed, failure = '' }) => failureInWords(seed, failure))
  expect(failures.join('\n')).toBe('')
  expect(runs).toBe(2 * SEEDS)
})

test('a run is replayed from its decisions alone', { timeout: 60_000 }, async () => {
  const first = await runSeed(3)
  const lines: string[] = []
  const again = await runSeed(3, {
    decisions: first.decisions,
    onLine: (line) => lines.push(line),
  })
  expect(again).toEqual(first)
  expect(PLACE_KINDS.some((kind) => lines[0]?.includes(kind))).toBe(true)
})

test('a run without any decisions goes well, as does one with half of them', {
  timeout: 60_000,
}, async () => {
  const { decisions } = await runSeed(3)
  const half = new Map([...decisions].filter((_, i) => i % 2 === 0))
  const dull = await runSeed(3, { decisions: new Map() })
  expect(dull).toMatchObject({ failure: undefined, decisions: new Map(), faults: new Map() })
  expect((await runSeed(3, { decisions: half })).failure).toBeUndefined()
})
