import { mix, seeded, shuffled } from './random.js'

export const KEY_BYTES = 16
export const VALUE_BYTES = 100

const POOL_BYTES = 1 << 20
const SEED = 20_260_101

/**
 * The records that every peer writes and reads: the same bytes in the same order in every run.
 *
 * - Key `i` is `2i` as 16 decimal digits, so that key order is index order and the odd numbers are
 *   absent keys between present ones.
 * - A value is 100 bytes of a 1 MiB pool of pieces whose second half repeats the first: db_bench's
 *   `compression_ratio=0.5`.
 */
export class Dataset {
  readonly count: number
  /** The indices in the random order in which random fills write them. */
  readonly order: Uint32Array
  readonly #pool: Buffer

  constructor(count: number) {
    this.count = count
    this.order = shuffled(count, SEED)
    this.#pool = compressiblePool()
  }

  key(index: number): Buffer {
    return decimal(index * 2)
  }

  /** A key that is not in the dataset, between key `index` and the next. */
  missingKey(index: number): Buffer {
    return decimal(index * 2 + 1)
  }

  /** The value of record `index`; an update writes that of a later `generation`. */
  value(index: number, generation = 0): Buffer {
    const at = mix(index + Math.imul(generation, 0x9e3779b1)) % (POOL_BYTES - VALUE_BYTES)
    return this.#pool.subarray(at, at + VALUE_BYTES)
  }

  /** `count` indices drawn at random, with repetition; another `stream`, another draw. */
  draw(count: number, stream: number): Uint32Array {
    const next = seeded(SEED + stream)
    return Uint32Array.from({ length: count }, () => next() % this.count)
  }
}

function decimal(number: number): Buffer {
  return Buffer.from(String(number).padStart(KEY_BYTES, '0'), 'latin1')
}

function compressiblePool(): Buffer {
  const pool = Buffer.alloc(POOL_BYTES)
  const next = seeded(301)
  const half = VALUE_BYTES / 2
  for (let at = 0; at < POOL_BYTES; at += VALUE_BYTES) {
    for (let i = 0; i < half && at + i < POOL_BYTES; i++) pool[at + i] = 32 + (next() % 95)
    pool.copy(pool, at + half, at, Math.min(at + half, POOL_BYTES))
  }
  return pool
}
