import type { DecisionMap } from './decisions.js'
import { showsTheBug } from './reason.js'
import { type RunReport, runSeed } from './run-seed.js'
import { type ShrinkOptions, type Shrunk, shrink } from './shrink.js'
import { EndlessRun } from './violation.js'

/** A run with less in it may take longer, when the rest of it waits for what was taken away. */
const MORE_EVENTS = 3

export interface ShrinkRunOptions extends ShrinkOptions {
  /**
   * Whether any failure will do, since there is one bug: much less is left. Default: the same
   * reason.
   */
  anyFailure?: boolean
}

/**
 * Shrinks a run that failed to one that fails for the same reason (`reasonsOf`) with as few
 * decisions as it finds. `runSeed(report.seed, { decisions })` runs the smaller one. Takes some
 * hundred runs in this process, each one shorter than the one before.
 */
export function shrinkRun(report: RunReport, options: ShrinkRunOptions = {}): Promise<Shrunk> {
  const { seed, events, failure } = report
  if (failure === undefined) throw new Error(`seed ${seed} didn't fail: there is nothing to shrink`)
  // One that had no end is the same when it has none so far.
  const mostEvents = failure instanceof EndlessRun ? events : MORE_EVENTS * events
  const run = async (decisions: DecisionMap): ReturnType<Parameters<typeof shrink>[1]> => {
    const again = await runSeed(seed, { decisions, mostEvents })
    const fails = showsTheBug(again.failure, failure, options.anyFailure)
    return { fails, made: again.decisions }
  }
  return shrink(report.decisions, run, options)
}
