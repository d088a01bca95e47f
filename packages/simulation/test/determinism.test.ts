import { expect, test } from 'vitest'
import { PLACE_KINDS } from '../src/place.js'
import { runSeed } from '../src/run-seed.js'

const LONG = process.env['FIRN_TEST_LONG'] === '1'
const SEEDS = LONG ? 20 : 8

test(`a seed is the same twice, for ${SEEDS} seeds`, { timeout: 1_200_000 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const [first, second] = [await runSeed(seed), await runSeed(seed)]
    expect(second, `seed ${seed}`).toEqual(first)
  }
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
