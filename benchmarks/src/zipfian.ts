import { mix, seeded } from './random.js'

/** The skew that YCSB uses. */
const THETA = 0.99

/**
 * Ranks 0 … count-1 drawn with a Zipfian distribution, rank 0 the most often. The method is that
 * of Gray et al., "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD 1994), as in
 * YCSB.
 */
export class Zipfian {
  readonly #count: number
  readonly #zetan: number
  readonly #alpha: number
  readonly #eta: number
  readonly #next: () => number

  constructor(count: number, seed: number) {
    this.#count = count
    this.#next = seeded(seed)
    this.#zetan = zeta(count)
    this.#alpha = 1 / (1 - THETA)
    this.#eta = (1 - (2 / count) ** (1 - THETA)) / (1 - zeta(2) / this.#zetan)
  }

  /** The next rank. */
  rank(): number {
    const u = this.#next() / 2 ** 32
    const uz = u * this.#zetan
    if (uz < 1) return 0
    if (uz < 1 + 0.5 ** THETA) return Math.min(1, this.#count - 1)
    const rank = Math.floor(this.#count * (this.#eta * u - this.#eta + 1) ** this.#alpha)
    return Math.min(rank, this.#count - 1)
  }

  /** The next rank scattered over the key space, so that popular keys are not neighbours. */
  scrambled(): number {
    return mix(this.rank() ^ 0x9e3779b9) % this.#count
  }
}

function zeta(count: number): number {
  let sum = 0
  for (let i = 1; i <= count; i++) sum += 1 / i ** THETA
  return sum
}
