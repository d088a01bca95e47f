/**
 * Records what happened, line by line, with a hash of all lines that is equal for two runs of one
 * seed.
 */
export class Trace {
  /** Called with every line. */
  onLine: ((line: string) => void) | undefined
  #hash1 = 0x811c9dc5
  #hash2 = 0x1b873593
  lines = 0

  add(timeMs: number, what: string): void {
    this.lines++
    const line = `${timeMs.toFixed(3)} ${what}`
    let hash1 = this.#hash1
    let hash2 = this.#hash2
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i)
      hash1 = Math.imul(hash1 ^ code, 0x01000193)
      hash2 = Math.imul(hash2 ^ code, 0x5bd1e995)
      hash2 ^= hash2 >>> 15
    }
    this.#hash1 = hash1
    this.#hash2 = hash2
    this.onLine?.(line)
  }

  get hash(): string {
    return [this.#hash1, this.#hash2].map((n) => (n >>> 0).toString(16).padStart(8, '0')).join('')
  }
}
