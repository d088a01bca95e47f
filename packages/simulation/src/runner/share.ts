/** What the workers of one call of `runSeeds` share: which runs were taken, and by whom. */
export class Share {
  /** For the workers, who make a `Share` of it. */
  readonly buffer: SharedArrayBuffer
  /**
   * How many runs were taken; whether no more are to be; then, for each worker, one more than its
   * run.
   */
  readonly #numbers: Int32Array

  constructor(workers: number | SharedArrayBuffer) {
    this.buffer =
      typeof workers === 'number'
        ? new SharedArrayBuffer((2 + workers) * Int32Array.BYTES_PER_ELEMENT)
        : workers
    this.#numbers = new Int32Array(this.buffer)
  }

  /** The next run for a worker, counted from 0; `undefined` when it has to stop. */
  take(worker: number, runs: number): number | undefined {
    Atomics.store(this.#numbers, 2 + worker, 0)
    if (Atomics.load(this.#numbers, 1) === 1) return undefined
    const run = Atomics.add(this.#numbers, 0, 1)
    if (run >= runs) return undefined
    Atomics.store(this.#numbers, 2 + worker, run + 1)
    return run
  }

  /** The run that a worker is at. */
  takenBy(worker: number): number | undefined {
    const run = Atomics.load(this.#numbers, 2 + worker)
    return run === 0 ? undefined : run - 1
  }

  /** No more runs are taken. */
  stop(): void {
    Atomics.store(this.#numbers, 1, 1)
  }
}
