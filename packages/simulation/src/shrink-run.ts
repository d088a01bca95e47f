import type { DecisionMap } from './decisions.js'
import { showsTheBug } from './reason.js'
import { type RunReport, runSeed } from './run-seed.js'
import { type ShrinkOptions, type Shrunk, shrink } from './shrink.js'
import { EndlessRun } from './violation.js'

/** A smaller run may take longer if the rest of it waits for what was removed. */
const MORE_EVENTS = 3

export interface ShrinkRunOptions extends ShrinkOptions {
  /**
   * Whether any failure counts, because there is only one bug: much less is left then. Default: the
   * same reason.
   */
  anyFailure?: boolean
}

/**
 * Shrinks a failed run to one that fails for the same reason (`reasonsOf`) with as few decisions as
 * it can find. `runSeed(report.seed, { decisions })` runs the smaller one. Takes some hundred runs
 * in this process, each shorter than the one before.
 */
export function shrinkRun(report: RunReport, options: ShrinkRunOptions = {}): Promise<Shrunk> {
  const { seed, events, failure } = report
  if (failure === undefined) throw new Error(`seed ${seed} didn't fail: there is nothing to shrink`)
  // If a run had no end, it is the same if it has none so far.
  const mostEvents = failure instanceof EndlessRun ? events : MORE_EVENTS * events
  const run = async (decisions: DecisionMap): ReturnType<Parameters<typeof shrink>[1]> => {
    const again = await runSeed(seed, { decisions, mostEvents })
    const fails = showsTheBug(again.failure, failure, options.anyFailure)
    return { fails, made: again.decisions }
  }
  return shrink(report.decisions, run, options)
}
