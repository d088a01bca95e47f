import { CorruptionError } from '@firn/env'
import { getU32 } from './envelope.js'

/**
 * A blocked Bloom filter: a key's bits all lie in one line of 64 bytes, which costs one cache miss.
 * The first hash lane chooses the line; the bits are the top nine of the second lane, multiplied by
 * the golden ratio from one probe to the next (RocksDB's FastLocalBloom does so).
 * Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters (2007).
 */
const FILTER_LINE_BYTES = 64
/** u8 algorithm, u8 probes, u16 zero, u32 lines. */
const FILTER_HEADER_BYTES = 8
/** The algorithm above. */
const FILTER_BLOCKED_BLOOM = 1

const GOLDEN = 0x9e3779b9

/** Answers whether a key may be in the file; a no is certain. */
export class Filter {
  readonly #bits: Uint8Array
  readonly #lines: number
  readonly #probes: number
  readonly memoryBytes: number

  constructor(bits: Uint8Array, lines: number, probes: number) {
    this.#bits = bits
    this.#lines = lines
    this.#probes = probes
    this.memoryBytes = bits.byteLength + 100
  }

  mayContain(first: number, second: number): boolean {
    const bits = this.#bits
    const line = lineOf(first, this.#lines)
    let hash = second
    for (let probe = this.#probes; probe > 0; probe--) {
      const bit = hash >>> 23
      // `as number`: the line is one of the filter's, nine bits stay within it.
      if (((bits[line + (bit >>> 3)] as number) & (1 << (bit & 7))) === 0) return false
      hash = Math.imul(hash, GOLDEN)
    }
    return true
  }
}

/** Where the line of a hash begins: the top bits of a 32 by 32 bit product, in doubles. */
function lineOf(first: number, lines: number): number {
  return Math.floor(((first >>> 0) * lines) / 2 ** 32) * FILTER_LINE_BYTES
}

/** A filter block's content for the hashes `pairs[0, 2 × count)`: first and second lane each. */
export function buildFilter(pairs: Int32Array, count: number, bitsPerKey: number): Uint8Array {
  const lines = Math.max(1, Math.ceil((count * bitsPerKey) / (FILTER_LINE_BYTES * 8)))
  const probes = probesFor(bitsPerKey)
  const content = new Uint8Array(FILTER_HEADER_BYTES + lines * FILTER_LINE_BYTES)
  content[0] = FILTER_BLOCKED_BLOOM
  content[1] = probes
  new DataView(content.buffer).setUint32(4, lines, true)
  const bits = content.subarray(FILTER_HEADER_BYTES)
  for (let i = 0; i < count; i++) {
    // `as number`: there are 2 × count hashes, and lines are in bounds.
    const line = lineOf(pairs[2 * i] as number, lines)
    let hash = pairs[2 * i + 1] as number
    for (let probe = 0; probe < probes; probe++) {
      const bit = hash >>> 23
      const at = line + (bit >>> 3)
      bits[at] = (bits[at] as number) | (1 << (bit & 7))
      hash = Math.imul(hash, GOLDEN)
    }
  }
  return content
}

/** The filter in a block's content; undefined for an algorithm of a later release. */
export function decodeFilter(content: Uint8Array, where: string): Filter | undefined {
  if (content.length < FILTER_HEADER_BYTES) {
    throw new CorruptionError(`${where}: too short for a filter`)
  }
  if (content[0] !== FILTER_BLOCKED_BLOOM) return undefined
  const probes = content[1] as number
  const lines = getU32(content, 4)
  const fits = content.length - FILTER_HEADER_BYTES === lines * FILTER_LINE_BYTES
  if (!fits || lines === 0 || probes === 0 || probes > 16) {
    throw new CorruptionError(`${where}: a filter of ${lines} lines and ${probes} probes`)
  }
  // Large arrays begin 16 bytes into a page (malloc's own). 48 bytes more, and the filter's lines
  // are the processor's: one miss a lookup in place of two.
  const bits = new Uint8Array(new ArrayBuffer(48 + lines * FILTER_LINE_BYTES), 48)
  bits.set(content.subarray(FILTER_HEADER_BYTES))
  return new Filter(bits, lines, probes)
}

/** Six probes at ten bits a key: a little fewer than ln 2 × bits is best within lines. */
function probesFor(bitsPerKey: number): number {
  return Math.max(1, Math.min(12, Math.round(bitsPerKey * 0.6)))
}
