import { LONG } from '@firn/test-support'
import { expect, test } from 'vitest'
import { CHAOS_KINDS } from '../src/chaos.js'
import { failureInWords } from '../src/command/failure-in-words.js'
import { DISK_FAULT_KINDS } from '../src/disk/disk-faults.js'
import { FILE_DAMAGE_KINDS } from '../src/disk/file-damage.js'
import { FAULT_KINDS } from '../src/faults.js'
import { OPERATIONS } from '../src/operations/operations.js'
import { runSeeds } from '../src/runner/run-seeds.js'

/** `FIRN_TEST_SEEDS=1001-2000` takes these alone, if several runs share the work. */
const [FIRST = 1, LAST = LONG ? 2000 : 40] =
  process.env['FIRN_TEST_SEEDS']?.split('-').map(Number) ?? []
const SEEDS = LAST - FIRST + 1

/** DynamoDB has no objects to list or to mix up; only its answers can be empty, or lack a field. */
const NOT_OF_THE_LOG = ['wrong-object', 'stale-list', 'very-late']
const NOT_OF_THE_STORE = ['empty-reply', 'missing-field']
/** A cache syncs nothing. */
const NOT_OF_CACHES = ['failed sync']
/** Not in every few seeds. */
const RARE = LONG
  ? []
  : [
      ...DISK_FAULT_KINDS.flatMap((kind) => [`disk ${kind}`, `cache disk ${kind}`]),
      'disk full',
      'cache disk full',
      ...FILE_DAMAGE_KINDS.map((kind) => `cached file ${kind}`),
      'store stale-list',
      'store very-late',
    ]
const FAULTS = [
  ...FAULT_KINDS.filter((kind) => !NOT_OF_THE_LOG.includes(kind)).map((kind) => `log ${kind}`),
  ...FAULT_KINDS.filter((kind) => !NOT_OF_THE_STORE.includes(kind)).map((kind) => `store ${kind}`),
  ...DISK_FAULT_KINDS.map((kind) => `disk ${kind}`),
  'disk full',
  ...DISK_FAULT_KINDS.filter((kind) => !NOT_OF_CACHES.includes(kind)).map(
    (kind) => `cache disk ${kind}`,
  ),
  'cache disk full',
  ...FILE_DAMAGE_KINDS.map((kind) => `cached file ${kind}`),
  'log outage',
  'store outage',
  ...CHAOS_KINDS,
]

test(`nothing goes wrong in ${SEEDS} seeds, from ${FIRST} on`, { timeout: 1_200_000 }, async () => {
  const { operations, faults, failed, runs } = await runSeeds({ from: FIRST, seeds: SEEDS })
  const failures = failed.map(({ seed, failure = '' }) => failureInWords(seed, failure))
  expect(failures.join('\n')).toBe('')
  expect(runs).toBe(SEEDS)
  // Whatever there is to do was done, and whatever can fail did.
  expect([...operations.keys()].sort()).toEqual(OPERATIONS.map(({ name }) => name).sort())
  expect(FAULTS.filter((name) => !faults.has(name) && !RARE.includes(name))).toEqual([])
})
