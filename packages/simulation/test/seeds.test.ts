import { expect, test } from 'vitest'
import { CHAOS_KINDS } from '../src/chaos.js'
import { FAULT_KINDS } from '../src/faults.js'
import { OPERATIONS } from '../src/operations/operations.js'
import { runSeed } from '../src/run-seed.js'

const LONG = process.env['FIRN_TEST_LONG'] === '1'
const SEEDS = LONG ? 150 : 60

/** The AWS SDK checks what DynamoDB sends: damage is an error there. Only DynamoDB's answers can be empty. */
const NOT_OF_THE_LOG = ['truncated', 'flipped', 'wrong-object']
const NOT_OF_THE_STORE = ['empty-reply']
const FAULTS = [
  ...FAULT_KINDS.filter((kind) => !NOT_OF_THE_LOG.includes(kind)).map((kind) => `log ${kind}`),
  ...FAULT_KINDS.filter((kind) => !NOT_OF_THE_STORE.includes(kind)).map((kind) => `store ${kind}`),
  ...CHAOS_KINDS,
]

test(`nothing goes wrong in ${SEEDS} seeds`, { timeout: 1_200_000 }, async () => {
  const operations = new Set<string>()
  const faults = new Set<string>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const report = await runSeed(seed)
    for (const name of report.operations.keys()) operations.add(name)
    for (const name of report.faults.keys()) faults.add(name)
    expect(report.failure, `seed ${seed}`).toBeUndefined()
  }
  // Whatever there is to do was done, and whatever can fail did.
  expect([...operations].sort()).toEqual(OPERATIONS.map(({ name }) => name).sort())
  expect([...faults].sort()).toEqual(FAULTS.sort())
})
