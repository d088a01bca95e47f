/** The most commits remembered: a MiB of memory. */
const MOST = 65_536
/** The first capacity, in a database that has just been opened. */
const FIRST = 256

/**
 * Versions and timestamps of the newest commits, so that most reads of the past needn't read the
 * log. Memory grows with the commits: zeroing a MiB in advance took 3.5 % of the time of runs that
 * open and close small databases.
 */
export class CommitTimes {
  // A ring: the commit of version v is at index v modulo the length.
  #versions: Float64Array = new Float64Array(FIRST)
  #timestamps: Float64Array = new Float64Array(FIRST)

  add(version: number, timestamp: number): void {
    let at = version % this.#versions.length
    // Grows before it overwrites an entry, up to the limit.
    while (this.#isTakenFrom(at, version) && this.#versions.length < MOST) {
      this.#grow()
      at = version % this.#versions.length
    }
    this.#versions[at] = version
    this.#timestamps[at] = timestamp
  }

  /** Returns the timestamp of a version, if it is remembered. */
  timestampOf(version: number): number | undefined {
    const at = version % this.#versions.length
    return this.#versions[at] === version ? this.#timestamps[at] : undefined
  }

  /** Whether another version has this one's place. */
  #isTakenFrom(at: number, version: number): boolean {
    const there = this.#versions[at]
    return there !== 0 && there !== version
  }

  #grow(): void {
    const [versions, timestamps] = [this.#versions, this.#timestamps]
    const length = versions.length * 2
    this.#versions = new Float64Array(length)
    this.#timestamps = new Float64Array(length)
    for (let i = 0; i < versions.length; i++) {
      const version = versions[i] as number
      const at = version % length
      this.#versions[at] = version
      this.#timestamps[at] = timestamps[i] as number
    }
  }
}
