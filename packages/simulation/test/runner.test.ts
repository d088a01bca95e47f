import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { tempDirectory } from '@firn/test-support'
import { afterAll, expect, test } from 'vitest'
import { type RunSeedsOptions, runSeeds } from '../src/runner/run-seeds.js'
import type { Tally } from '../src/runner/tally.js'

const folder = tempDirectory(afterAll)

/**
 * Runs seeds of a program of which a few lines are given: `seed` is at hand in them, and `report`.
 */
function runProgram(
  name: string,
  lines: string,
  options: Omit<RunSeedsOptions, 'module'>,
): Promise<Tally> {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(
    path,
    `let runs = 0
    export async function runSeed(seed) {
      const report = { seed, hash: 'h' + seed, events: 10, operations: new Map([['put', 2]]),
        faults: new Map([['crash', 1]]), decisions: new Map(), failure: undefined }
      runs++
      ${lines}
      return report
    }`,
  )
  return runSeeds({ ...options, module: pathToFileURL(path).href })
}

test('every seed is run once, and all of it is summed up', async () => {
  const seen: number[] = []
  const onResult = ({ seed }: { seed: number }): void => void seen.push(seed)
  const tally = await runProgram('plain', '', { from: 5, seeds: 40, workers: 3, onResult })
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => 5 + i))
  expect(tally).toMatchObject({ runs: 40, events: 400, failed: [] })
  expect([...tally.operations, ...tally.faults]).toEqual([
    ['put', 80],
    ['crash', 40],
  ])
})

test('a seed that fails is told, with the stack of what it failed by; the others go on', async () => {
  const lines = `if (seed === 3) report.failure = new Error('torn', { cause: new TypeError('deep') })`
  const tally = await runProgram('failing', lines, { seeds: 10, workers: 2 })
  expect(tally.runs).toBe(10)
  expect(tally.failed.map(({ seed }) => seed)).toEqual([3])
  expect(tally.failed[0]?.failure).toMatch(/^torn\nTypeError: deep\n +at runSeed/)
  expect(tally.inWords(60_000)).toMatch(
    /10 runs in 60 s \(10 a minute\), 1 failed\n(?:.*\n)*failed: 3$/,
  )
})

test('a run that ends its thread, or has no end, fails its seed; the others go on', async () => {
  const lines = `if (seed === 2) process.exit(7)
    if (seed === 4) throw new Error('out of its mind')
    if (seed === 6) for (;;) {}`
  const tally = await runProgram('deadly', lines, { seeds: 12, workers: 2, longestMs: 3000 })
  expect(tally.runs).toBe(12)
  const failures = tally.failed
    .sort((a, b) => a.seed - b.seed)
    .map(({ seed, failure }) => [seed, failure])
  expect(failures).toEqual([
    [2, 'its thread ended: of its own accord'],
    [4, 'its thread ended: Error: out of its mind'],
    [6, 'its thread ended: it took more than 3000 ms'],
  ])
})

test('a module that can not be loaded ends it', async () => {
  const missing = pathToFileURL(join(folder, 'missing.mjs')).href
  await expect(runSeeds({ seeds: 3, workers: 1, module: missing })).rejects.toThrow(/missing\.mjs/)
})

test('a seed that isn’t the same twice fails', async () => {
  const same = await runProgram('same', '', { seeds: 20, workers: 2, twice: true })
  expect(same).toMatchObject({ runs: 40, failed: [] })
  const lines = `if (seed === 7) report.hash += runs`
  const other = await runProgram('other', lines, { seeds: 20, workers: 1, twice: true })
  expect(other.failed.map(({ seed, failure }) => [seed, failure])).toEqual([
    [7, 'run twice it has two hashes, h77 and h734'],
  ])
})

test('no more seeds are begun once it is told to stop', async () => {
  const stop = new AbortController()
  const onResult = (): void => stop.abort()
  const tally = await runProgram('endless', '', {
    seeds: 1_000_000_000,
    workers: 2,
    onResult,
    signal: stop.signal,
  })
  expect(tally.runs).toBeGreaterThan(0)
  expect(tally.runs).toBeLessThan(1_000_000)
})
