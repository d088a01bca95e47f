/** The seeds to run, and their order. */
export interface SeedOrder {
  from: number
  seeds: number
  /** The number of seeds, or twice that: then all are run again, the last one first. */
  runs: number
}

/** The task with which a worker is started. */
export interface WorkerTask {
  /** URL of the module that exports `runSeed`. */
  module: string
  /** The buffer of a `Share`. */
  shared: SharedArrayBuffer
  worker: number
  order: SeedOrder
}

/** The seed of a run; runs are counted from 0. */
export function seedOf({ from, seeds }: SeedOrder, run: number): number {
  return run < seeds ? from + run : from + 2 * seeds - 1 - run
}
