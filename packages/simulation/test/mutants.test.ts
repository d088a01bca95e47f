import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { LONG } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { hunt } from '../src/mutants/hunt.js'
import { patched, urlOf } from '../src/mutants/mutant.js'
import { MUTANTS } from '../src/mutants/mutants.js'
import { knownSeeds, listedMutants } from '../src/mutants/table.js'

/** Quick ones, of a commit, a read and a file. */
const FEW = ['own-token-ignored', 'snapshot-follows-newest', 'cache-key-without-file']

test(`the simulation finds ${LONG ? 'every mutant that it has found before' : 'some mutants'}`, {
  timeout: 1_200_000,
}, async () => {
  const names = LONG ? [...knownSeeds().keys()] : FEW
  const { found, survivors, control } = await hunt({
    names,
    known: knownSeeds(),
    mostSeeds: 2000,
    jobs: LONG ? availableParallelism() : 1,
    shrinks: false,
  })
  expect(survivors).toEqual([])
  expect([...found.keys()].sort()).toEqual([...names].sort())
  // It is the mutant that was found: without it, nothing is wrong.
  expect(control).toEqual({ seed: undefined })
})

test.each(MUTANTS)('$name is a change of the built code', ({ patches }) => {
  for (const module of new Set(patches.map((patch) => patch.module))) {
    const code = readFileSync(fileURLToPath(urlOf(module)), 'utf8')
    const own = patches.filter((patch) => patch.module === module)
    expect(patched(code, own)).not.toBe(code)
  }
})

test('every mutant has its line in MUTANTS.md', () => {
  expect(listedMutants().sort()).toEqual(MUTANTS.map(({ name }) => name).sort())
})

describe('a patch', () => {
  const patch = { module: 'engine/database', from: 'a +  b', to: 'a - b' }

  test('is made whatever the spaces', () => {
    expect(patched('x = a +\n  b;', [patch])).toBe('x = a - b;')
  })

  test.each(['x = a * b;', 'x = a + b; y = a + b;'])('is refused in %j', (code) => {
    expect(() => patched(code, [patch])).toThrow(/times, not once/)
  })
})
