import { readKeptRun, writeKeptRun } from '../kept-run.js'
import { type RunOptions, type RunReport, runSeed } from '../run-seed.js'
import { resultOf } from '../runner/seed-result.js'
import { Tally } from '../runner/tally.js'
import { type ShrinkRunOptions, shrinkRun } from '../shrink-run.js'
import { failureInWords } from './failure-in-words.js'

/** Runs one seed, and prints the result; with `trace`, also what happens. */
export async function runOne(seed: number, options: { trace: boolean }): Promise<void> {
  const report = await runSeed(seed, traceOptions(options))
  tell(report, failureInWords)
}

/** Runs the run that a file holds; see `KeptRun`. */
export async function replayFile(path: string, options: { trace: boolean }): Promise<void> {
  const { seed, found, decisions } = readKeptRun(path)
  console.log(`seed ${seed}, kept for this: ${found}`)
  const report = await runSeed(seed, { decisions, ...traceOptions(options) })
  const unmade = [...(decisions?.keys() ?? [])].filter((name) => !report.decisions.has(name))
  if (unmade.length > 0) {
    console.log(`it isn't the run that was kept: nothing asks any more for ${unmade.join(', ')}`)
  }
  tell(report, (_, failure) => `failed: ${failure}`)
}

/**
 * Makes a failing seed's run smaller while it fails, for the same reason or for any, and writes it
 * to a file.
 */
export async function shrinkSeed(
  seed: number,
  path: string,
  options: Pick<ShrinkRunOptions, 'anyFailure'>,
): Promise<void> {
  const report = await runSeed(seed)
  if (report.failure === undefined) {
    console.log(`seed ${seed} doesn't fail: there is nothing to shrink`)
    return
  }
  process.exitCode = 1
  console.error(`seed ${seed} failed, with ${report.decisions.size} decisions that aren't 0`)
  const { decisions, runs } = await shrinkRun(report, {
    ...options,
    onSmaller: (size, after) => console.error(`${size} after ${after} runs`),
  })
  const again = await runSeed(seed, { decisions })
  const found = (again.failure ?? report.failure).message
  writeKeptRun(path, { seed, found, decisions })
  console.log(`${decisions.size} decisions are left after ${runs} runs, in ${path}:`)
  for (const [name, decided] of decisions) console.log(`  ${name} = ${decided}`)
  console.log(found)
  console.log(`  replay: node packages/simulation/dist/main.js --replay ${path} --trace`)
}

function traceOptions({ trace }: { trace: boolean }): RunOptions {
  return trace ? { onLine: (line) => console.log(line) } : {}
}

function tell(report: RunReport, inWords: (seed: number, failure: string) => string): void {
  const result = resultOf(report)
  const tally = new Tally()
  tally.add(result)
  console.log(`${tally.countsInWords()}\nhash ${report.hash}`)
  if (result.failure === undefined) return
  process.exitCode = 1
  console.error(inWords(report.seed, result.failure))
}
