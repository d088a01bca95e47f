import { trapAmbientWorld } from './ambient-trap.js'
import { type DecisionMap, Decisions } from './decisions.js'
import { Simulation } from './simulation.js'
import { Violation } from './violation.js'

export interface RunOptions {
  /** Decides instead of the seed; see `Decisions`. Ids still come from the seed. */
  decisions?: DecisionMap | undefined
  /** Ends a run after this many events. */
  mostEvents?: number
  /** Called with every line of the trace. */
  onLine?: (line: string) => void
}

/** The result of a run. */
export interface RunReport {
  seed: number
  /** Equal for two runs of one seed. */
  hash: string
  events: number
  /** How often each operation was done. */
  operations: ReadonlyMap<string, number>
  /** How often each fault happened, by service or process, and kind. */
  faults: ReadonlyMap<string, number>
  /** Decisions that weren't dull: they replay the run. */
  decisions: DecisionMap
  /** The first violation, if there was one. */
  failure: Violation | undefined
}

/** Runs the simulation of a seed. One at a time: the real world is unreachable meanwhile. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunReport> {
  const decisions = new Decisions(seed, options.decisions)
  const simulation = new Simulation(decisions, seed)
  const { world, place, chaos } = simulation
  world.trace.onLine = options.onLine
  if (options.mostEvents !== undefined) world.mostEvents = options.mostEvents
  const onUnhandled = (error: unknown): void =>
    world.fail(new Violation(`nobody handled ${String(error)}`, { cause: error }))
  process.on('unhandledRejection', onUnhandled)
  const onWarning = (warning: Error): void => {
    if (warning.name === 'MaxListenersExceededWarning') world.fail(new Violation(warning.message))
  }
  process.on('warning', onWarning)
  const restore = trapAmbientWorld((violation) => world.fail(violation))
  let failure: Violation | undefined
  try {
    await simulation.run()
  } catch (error) {
    failure =
      error instanceof Violation
        ? error
        : new Violation(`the simulation itself failed: ${String(error)}`, { cause: error })
    world.note(`failed: ${failure.message}`)
  } finally {
    restore()
    process.off('unhandledRejection', onUnhandled)
    process.off('warning', onWarning)
  }
  const faults = new Map<string, number>()
  for (const { service, counts } of [...place.faults, ...place.cacheFaults]) {
    for (const [kind, count] of counts) faults.set(`${service} ${kind}`, count)
  }
  for (const [kind, count] of chaos.counts) faults.set(kind, count)
  return {
    seed,
    hash: world.trace.hash,
    events: world.events,
    operations: simulation.operations,
    faults,
    decisions: decisions.made,
    failure,
  }
}
