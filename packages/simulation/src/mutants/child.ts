import { register } from 'node:module'
import type { RunReport } from '../run-seed.js'
import { EndlessRun } from '../violation.js'
import type { Job, Outcome } from './job.js'
import { urlOf } from './mutant.js'
import { mutantNamed } from './mutants.js'

// A process that runs seeds with one bug in its code, or with none: see `runJob` of job.ts.

/** The limit of events of a run: a damaged database is opened again and again. */
const MOST_EVENTS = 100_000
/**
 * How many failing seeds are made smaller, unless an earlier one is small: the results differ
 * widely.
 */
const FAILING_SEEDS = 5
/** How many seeds after the first failing one are tried. */
const MORE_SEEDS = 600
/** The number of decisions of a small run. */
const SMALL = 30
/** The number of runs spent on making one smaller. */
const SHRINKING_RUNS = 300
/** The number of runs for endless ones, which take long. */
const ENDLESS_RUNS = 20
/** The number of runs spent on the smallest one, if none is small. */
const MORE_SHRINKING_RUNS = 1000

/** Loads the modules that a mutant changes; throws if one was loaded unchanged. */
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
  let first: RunReport | undefined
  let smallest: RunReport | undefined
  let [failed, left] = [0, seeds.length]
  for (const seed of seeds) {
    if (left-- === 0) break
    const report = await runSeed(seed, { mostEvents: MOST_EVENTS })
    if (report.failure === undefined) continue
    first ??= report
    if (!shrinks) break
    left = Math.min(left, MORE_SEEDS)
    // If a run has no end, each run of making it smaller would take as long.
    if (!(report.failure instanceof EndlessRun)) {
      const small = await smaller(report, SHRINKING_RUNS)
      if (smallest === undefined || small.decisions.size < smallest.decisions.size) smallest = small
      if (smallest.decisions.size <= SMALL) break
    }
    if (++failed === FAILING_SEEDS) break
  }
  if (first?.failure === undefined) return { seed: undefined }
  const outcome = { seed: first.seed, violation: first.failure.message }
  if (!shrinks) return outcome
  smallest ??= await smaller(first, ENDLESS_RUNS)
  if (smallest.decisions.size > SMALL && !(smallest.failure instanceof EndlessRun))
    smallest = await smaller(smallest, MORE_SHRINKING_RUNS)
  return { ...outcome, decisions: smallest.decisions.size }
}

async function smaller(report: RunReport, mostRuns: number): Promise<RunReport> {
  const { runSeed } = await import('../run-seed.js')
  const { shrinkRun } = await import('../shrink-run.js')
  // Without the bug these seeds pass, so any failure is the bug.
  const { decisions } = await shrinkRun(report, { mostRuns, anyFailure: true })
  return runSeed(report.seed, { decisions, mostEvents: MOST_EVENTS })
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as Job)))
