/** Which seeds are run, and in which order. */
export interface SeedOrder {
  from: number
  seeds: number
  /** As many as seeds, or twice that: then all come once more, the last one first. */
  runs: number
}

/** What a worker is started with. */
export interface WorkerTask {
  /** URL of the module that exports `runSeed`. */
  module: string
  /** Of a `Share`. */
  shared: SharedArrayBuffer
  worker: number
  order: SeedOrder
}

/** The seed of a run; runs are counted from 0. */
export function seedOf({ from, seeds }: SeedOrder, run: number): number {
  return run < seeds ? from + run : from + 2 * seeds - 1 - run
}
