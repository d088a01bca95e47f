import { deflate, inflate } from '#deflate'
import { Lz4Compressor } from './lz4-compressor.js'
import { lz4Decompress } from './lz4-decompressor.js'

/** Compression of a block. Persisted in every block: numbers never change meaning. */
export const CODEC_NONE = 0
export const CODEC_DEFLATE = 1
export const CODEC_LZ4 = 2

/** Name of a codec in options. */
export type Compression = 'none' | 'lz4' | 'deflate'

/** The codec byte of a name; undefined for any other name. */
export function codecOf(name: Compression): number | undefined {
  if (name === 'none') return CODEC_NONE
  if (name === 'deflate') return CODEC_DEFLATE
  return name === 'lz4' ? CODEC_LZ4 : undefined
}

/** The name of a codec byte, for dumps. */
export function codecName(codec: number): string {
  return codec === CODEC_NONE
    ? 'none'
    : codec === CODEC_DEFLATE
      ? 'deflate'
      : codec === CODEC_LZ4
        ? 'lz4'
        : `codec ${codec}`
}

/**
 * The most bytes that `stored` bytes can decompress to, to check a length before allocating it. The
 * factor of DEFLATE is 1,032 (258 bytes from two bits), that of LZ4 255 (one byte of length each).
 */
export function expansionLimit(codec: number, stored: number): number {
  return codec === CODEC_DEFLATE ? stored * 1032 : codec === CODEC_LZ4 ? stored * 255 : stored
}

/** Compresses blocks one after another, reusing its tables. */
export class BlockCompressor {
  readonly #lz4 = new Lz4Compressor()

  /**
   * Compresses `source[0, length)` to `target` at `at`, which must have room for `bound(length)`.
   * Returns the end of the output, or -1 unless compression saves more than an eighth: reading the
   * block would then cost more than its bytes.
   */
  compress(
    codec: number,
    source: Uint8Array,
    view: DataView,
    length: number,
    target: Uint8Array,
    at: number,
  ): number {
    if (codec === CODEC_NONE) return -1
    let end: number
    if (codec === CODEC_LZ4) {
      end = this.#lz4.compress(source, view, 0, length, target, at)
    } else {
      const bytes = deflate(source.subarray(0, length))
      end = at + bytes.length
      if (end - at < length) target.set(bytes, at)
    }
    return end - at <= length - (length >>> 3) - 1 ? end : -1
  }

  /** Room that `compress` needs for `length` bytes with any codec. */
  static bound(length: number): number {
    return Lz4Compressor.bound(length)
  }
}

/**
 * Decompresses `stored[start, end)`, with a known codec. Returns undefined if the result isn't
 * exactly `length` bytes. With `asView`, uncompressed bytes are returned as a view.
 */
export function decompress(
  codec: number,
  stored: Uint8Array,
  start: number,
  end: number,
  length: number,
  asView: boolean,
): Uint8Array | undefined {
  if (codec === CODEC_NONE) {
    if (end - start !== length) return undefined
    // Without `asView`, a view only if its array holds little else: a cached block must not keep a
    // whole coalesced read in memory.
    return asView || stored.buffer.byteLength - length < 256
      ? stored.subarray(start, end)
      : stored.slice(start, end)
  }
  if (codec === CODEC_DEFLATE) return inflate(stored.subarray(start, end), length)
  const raw = new Uint8Array(length)
  return lz4Decompress(stored, start, end, raw) ? raw : undefined
}
