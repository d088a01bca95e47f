import { CorruptionError } from '@firn/env'
import { getU32 } from './envelope.js'

/**
 * A blocked Bloom filter: all bits of a key are in one line of 64 bytes, so a lookup costs one
 * cache miss. The first hash lane selects the line. The top nine bits of the second lane select a
 * bit; each further probe multiplies it by the golden ratio (as in RocksDB's FastLocalBloom).
 * Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters (2007).
 */
const FILTER_LINE_BYTES = 64
/** u8 algorithm, u8 probes, u16 zero, u32 lines. */
const FILTER_HEADER_BYTES = 8
/** The algorithm above. */
const FILTER_BLOCKED_BLOOM = 1

const GOLDEN = 0x9e3779b9

/** Says whether a key may be in the file; a no is certain. */
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
      // `as number`: the line is within the filter, and nine bits are within the line.
      if (((bits[line + (bit >>> 3)] as number) & (1 << (bit & 7))) === 0) return false
      hash = Math.imul(hash, GOLDEN)
    }
    return true
  }
}

/** Offset of the line of a hash: the top bits of a 32 by 32 bit product, in doubles. */
function lineOf(first: number, lines: number): number {
  return Math.floor(((first >>> 0) * lines) / 2 ** 32) * FILTER_LINE_BYTES
}

/** Builds the content of a filter block. `pairs[0, 2 × count)` has the two lanes of each hash. */
export function buildFilter(pairs: Int32Array, count: number, bitsPerKey: number): Uint8Array {
  const lines = Math.max(1, Math.ceil((count * bitsPerKey) / (FILTER_LINE_BYTES * 8)))
  const probes = probesFor(bitsPerKey)
  const content = new Uint8Array(FILTER_HEADER_BYTES + lines * FILTER_LINE_BYTES)
  content[0] = FILTER_BLOCKED_BLOOM
  content[1] = probes
  new DataView(content.buffer).setUint32(4, lines, true)
  const bits = content.subarray(FILTER_HEADER_BYTES)
  for (let i = 0; i < count; i++) {
    // `as number`: `pairs` has 2 × count entries, and lines are in bounds.
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

/** Decodes the content of a filter block; undefined for an algorithm of a later release. */
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
  // Large arrays begin 16 bytes into a page, after malloc's header. 48 bytes more align the
  // filter's lines with the processor's, so that a lookup has one cache miss, not two.
  const bits = new Uint8Array(new ArrayBuffer(48 + lines * FILTER_LINE_BYTES), 48)
  bits.set(content.subarray(FILTER_HEADER_BYTES))
  return new Filter(bits, lines, probes)
}

/** Six probes at ten bits a key. Within lines, a little fewer than ln 2 × bits is best. */
function probesFor(bitsPerKey: number): number {
  return Math.max(1, Math.min(12, Math.round(bitsPerKey * 0.6)))
}
