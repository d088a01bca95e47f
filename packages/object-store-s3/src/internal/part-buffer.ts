const FIRST_BYTES = 64 * 2 ** 10

/** Collects the bytes of a part. Grows with them, because most objects are small. */
export class PartBuffer {
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies bytes of `source` from `offset` on, until it holds `limit` bytes; returns how many. */
  fill(source: Uint8Array, offset: number, limit: number): number {
    const taken = Math.min(source.length - offset, limit - this.#length)
    const needed = this.#length + taken
    if (needed > this.#bytes.length) {
      const doubled = Math.max(needed, this.#bytes.length * 2, FIRST_BYTES)
      const grown = new Uint8Array(Math.min(limit, doubled))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(source.subarray(offset, offset + taken), this.#length)
    this.#length = needed
    return taken
  }

  /** Returns the bytes and starts a new part. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = new Uint8Array(0)
    this.#length = 0
    return taken
  }
}
