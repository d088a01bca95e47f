import type { DecisionMap } from './decisions.js'
import { reasonsOf } from './reason.js'
import { type RunReport, runSeed } from './run-seed.js'
import { type ShrinkOptions, type Shrunk, shrink } from './shrink.js'

/** A run with less in it may take longer, when the rest of it waits for what was taken away. */
const MORE_EVENTS = 3

/**
 * Shrinks a run that failed to one that fails for the same reason (`reasonsOf`) with as few decisions as it
 * finds. `runSeed(report.seed, { decisions })` runs the smaller one. Takes some hundred runs in this
 * process, each one shorter than the one before.
 */
export function shrinkRun(report: RunReport, options: ShrinkOptions = {}): Promise<Shrunk> {
  const { seed, events, failure } = report
  if (failure === undefined) throw new Error(`seed ${seed} didn't fail: there is nothing to shrink`)
  const [reason = ''] = reasonsOf(failure)
  const run = async (decisions: DecisionMap): ReturnType<Parameters<typeof shrink>[1]> => {
    const again = await runSeed(seed, { decisions, mostEvents: MORE_EVENTS * events })
    const fails = again.failure !== undefined && reasonsOf(again.failure).has(reason)
    return { fails, made: again.decisions }
  }
  return shrink(report.decisions, run, options)
}
