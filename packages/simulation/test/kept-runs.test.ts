import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readKeptRun } from '../src/kept-run.js'
import { runSeed } from '../src/run-seed.js'

const folder = join(import.meta.dirname, 'kept-runs')
const runs = readdirSync(folder).map((name) => ({ name, ...readKeptRun(join(folder, name)) }))

test.each(runs)('$name: $found', { timeout: 60_000 }, async ({ seed, decisions }) => {
  const { failure } = await runSeed(seed, { decisions })
  expect(failure).toBeUndefined()
})
