/** Pseudo-random numbers from a seed and a name: sfc32, a 128-bit small fast generator. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `name`: a name, or its `hashOf`. */
  constructor(seed: number, name: string | number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = typeof name === 'string' ? hashOf(name) : name
    for (let i = 0; i < 15; i++) this.#next()
  }

  /** A number in [0, 1) of 32 bits. */
  number(): number {
    return this.#next() / 2 ** 32
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return Math.floor(this.number() * bound)
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i++) bytes[i] = this.#next() >>> 24
    return bytes
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }
}

/** FNV-1a, 32 bits. With the hash of an earlier text, returns the hash of both. */
export function hashOf(text: string, before = 0x811c9dc5): number {
  let hash = before
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}
