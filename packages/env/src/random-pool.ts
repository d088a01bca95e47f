// One call into the system's generator costs 2 µs, whether for ten bytes or for a few hundred.
const POOL_BYTES = 4096
// Web Crypto fills no more than this in one call.
const MAX_FILL_BYTES = 65_536

/** Hands out random bytes, each once, drawn from the system's generator in large pieces. */
export class RandomPool {
  readonly #fill: (bytes: Uint8Array) => void
  readonly #pool: Uint8Array = new Uint8Array(POOL_BYTES)
  #next = POOL_BYTES

  constructor(fill: (bytes: Uint8Array) => void) {
    this.#fill = fill
  }

  /** `length` bytes that are the caller's alone. */
  draw(length: number): Uint8Array {
    // Negative lengths go the same way, to meet their RangeError.
    if (!(length >= 0 && length <= POOL_BYTES / 4)) return this.#drawDirectly(length)
    if (this.#next + length > POOL_BYTES) {
      this.#fill(this.#pool)
      this.#next = 0
    }
    const start = this.#next
    this.#next += length
    return this.#pool.slice(start, this.#next)
  }

  #drawDirectly(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += MAX_FILL_BYTES) {
      this.#fill(bytes.subarray(at, at + MAX_FILL_BYTES))
    }
    return bytes
  }
}
