/**
 * State that the workers of one `runSeeds` call share: which runs were taken, and by which worker.
 */
export class Share {
  /** For the workers, which make a `Share` of it. */
  readonly buffer: SharedArrayBuffer
  /** How many runs were taken; whether to stop; then, for each worker, one more than its run. */
  readonly #numbers: Int32Array

  constructor(workers: number | SharedArrayBuffer) {
    this.buffer =
      typeof workers === 'number'
        ? new SharedArrayBuffer((2 + workers) * Int32Array.BYTES_PER_ELEMENT)
        : workers
    this.#numbers = new Int32Array(this.buffer)
  }

  /** Takes the next run for a worker, counted from 0; `undefined` if it has to stop. */
  take(worker: number, runs: number): number | undefined {
    Atomics.store(this.#numbers, 2 + worker, 0)
    if (Atomics.load(this.#numbers, 1) === 1) return undefined
    const run = Atomics.add(this.#numbers, 0, 1)
    if (run >= runs) return undefined
    Atomics.store(this.#numbers, 2 + worker, run + 1)
    return run
  }

  /** Returns the run that a worker is doing. */
  takenBy(worker: number): number | undefined {
    const run = Atomics.load(this.#numbers, 2 + worker)
    return run === 0 ? undefined : run - 1
  }

  /** Stops: no more runs are taken. */
  stop(): void {
    Atomics.store(this.#numbers, 1, 1)
  }
}
