import { register } from 'node:module'
import type { Job, Outcome } from './job.js'
import { urlOf } from './mutant.js'
import { mutantNamed } from './mutants.js'

// A process that runs seeds with one bug in its code, or with none: see `runJob` of job.ts.

/** So many events are the end of a run: a database that is damaged is opened again and again. */
const MOST_EVENTS = 100_000
/** Runs that are spent on making one smaller. */
const MOST_SHRINKING_RUNS = 1500

/** Loads what a mutant changes, changed; throws where it was loaded as it is. */
async function plant(name: string): Promise<void> {
  const { patches } = mutantNamed(name)
  register('./load-hook.js', { parentURL: import.meta.url, data: patches })
  await import('../run-seed.js')
  const changed = Reflect.get(globalThis, 'firnPatched') as ReadonlySet<string> | undefined
  for (const { module } of patches) {
    if (changed?.has(urlOf(module)) !== true) throw new Error(`${module} was loaded as it is`)
  }
}

async function run({ mutant, seeds, shrinks }: Job): Promise<Outcome> {
  if (mutant !== undefined) await plant(mutant)
  const { runSeed } = await import('../run-seed.js')
  const { shrinkRun } = await import('../shrink-run.js')
  for (const seed of seeds) {
    const report = await runSeed(seed, { mostEvents: MOST_EVENTS })
    if (report.failure === undefined) continue
    const failed = { seed, violation: report.failure.message }
    if (!shrinks) return failed
    // Without the bug these seeds pass: whatever fails is the bug.
    const options = { mostRuns: MOST_SHRINKING_RUNS, anyFailure: true }
    const { decisions } = await shrinkRun(report, options)
    return { ...failed, decisions: decisions.size }
  }
  return { seed: undefined }
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as Job)))
