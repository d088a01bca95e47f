const FIRST_BYTES = 64 * 2 ** 10

/** Gathers the bytes of a part. It takes memory as they come: most objects are small. */
export class PartBuffer {
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies from `source`, from `offset` on, up to `limit` bytes in all; returns how many. */
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

  /** Hands over what was gathered and begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = new Uint8Array(0)
    this.#length = 0
    return taken
  }
}
