/** How many of the newest commits are remembered: a MiB of memory. */
const CAPACITY = 65_536

/** Versions and timestamps of the newest commits, so that most reads of the past ask no log. */
export class Moments {
  // A ring: the commit of version v is at v mod CAPACITY.
  readonly #versions: Float64Array = new Float64Array(CAPACITY)
  readonly #timestamps: Float64Array = new Float64Array(CAPACITY)

  add(version: number, timestamp: number): void {
    const at = version % CAPACITY
    this.#versions[at] = version
    this.#timestamps[at] = timestamp
  }

  /** The timestamp of a version, where it is remembered. */
  timestampOf(version: number): number | undefined {
    const at = version % CAPACITY
    return this.#versions[at] === version ? this.#timestamps[at] : undefined
  }
}
