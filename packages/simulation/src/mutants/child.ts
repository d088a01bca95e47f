import { register } from 'node:module'
import type { RunReport } from '../run-seed.js'
import { EndlessRun } from '../violation.js'
import type { Job, Outcome } from './job.js'
import { urlOf } from './mutant.js'
import { mutantNamed } from './mutants.js'

// A process that runs seeds with one bug in its code, or with none: see `runJob` of job.ts.

/** So many events are the end of a run: a database that is damaged is opened again and again. */
const MOST_EVENTS = 100_000
/**
 * So many seeds that fail are made smaller, unless one before is small: what is left differs
 * widely.
 */
const FAILING_SEEDS = 5
/** A seed that fails this long after the first one isn't waited for. */
const MORE_SEEDS = 600
/** Decisions of a small run. */
const SMALL = 30
/** Runs that are spent on making one smaller. */
const SHRINKING_RUNS = 300
/** The same where they are endless, which takes its time. */
const ENDLESS_RUNS = 20
/** Runs that are spent on the smallest, where none is small. */
const MORE_SHRINKING_RUNS = 1000

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
    // Where one has no end, each run of making it smaller would be as long.
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
  // Without the bug these seeds pass: whatever fails is the bug.
  const { decisions } = await shrinkRun(report, { mostRuns, anyFailure: true })
  return runSeed(report.seed, { decisions, mostEvents: MOST_EVENTS })
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as Job)))
