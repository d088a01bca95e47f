import { putRun } from './lz4-run.js'

// The constants of the block format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
const MIN_MATCH = 4
const LAST_LITERALS = 5
const MATCH_SAFE_GUARD = 12
const MAX_DISTANCE = 65_535

const HASH_BITS = 12
// After 2^SKIP_TRIGGER misses in a row the search takes steps of two, then three, and so on, so
// that incompressible data costs little.
const SKIP_TRIGGER = 5
// Positions in the table have a base added, which grows with each input. Entries below the base are
// of earlier inputs, so the table need not be cleared.
const MAX_BASE: number = 2 ** 30

/** Compresses to the LZ4 block format. Keeps a table of 16 KiB between calls; not reentrant. */
export class Lz4Compressor {
  readonly #table = new Int32Array(1 << HASH_BITS)
  #base = 1

  /** The most bytes that `length` bytes can become. */
  static bound(length: number): number {
    return length + Math.floor(length / 255) + 16
  }

  /**
   * Compresses `source[start, end)` into `target` at `at`, and returns the end of the output.
   * `target` must have room for `bound(end - start)`; `view` is a DataView of all of `source`.
   */
  compress(
    source: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    target: Uint8Array,
    at: number,
  ): number {
    const length = end - start
    if (this.#base + length > MAX_BASE) {
      this.#table.fill(0)
      this.#base = 1
    }
    const table = this.#table
    // The table holds `position + shift`.
    const shift = this.#base - start
    const base = this.#base
    this.#base += length

    let anchor = start
    let out = at
    if (length > MATCH_SAFE_GUARD) {
      const searchEnd = end - MATCH_SAFE_GUARD
      const matchEnd = end - LAST_LITERALS
      let position = start
      let misses = 1 << SKIP_TRIGGER
      while (position <= searchEnd) {
        const word = view.getInt32(position, true)
        const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS)
        const stored = table[slot] as number
        table[slot] = position + shift
        let match = stored - shift
        if (
          stored < base ||
          position - match > MAX_DISTANCE ||
          view.getInt32(match, true) !== word
        ) {
          position += misses++ >>> SKIP_TRIGGER
          continue
        }
        misses = 1 << SKIP_TRIGGER
        // The match may begin earlier than the search found it.
        while (position > anchor && match > start && source[position - 1] === source[match - 1]) {
          position--
          match--
        }
        let matched = position + MIN_MATCH
        let from = match + MIN_MATCH
        const wordEnd = matchEnd - 3
        while (matched < wordEnd && view.getInt32(matched, true) === view.getInt32(from, true)) {
          matched += 4
          from += 4
        }
        while (matched < matchEnd && source[matched] === source[from]) {
          matched++
          from++
        }
        const literals = position - anchor
        const extra = matched - position - MIN_MATCH
        const token = out++
        target[token] = (Math.min(literals, 15) << 4) | Math.min(extra, 15)
        if (literals >= 15) out = putRun(target, out, literals - 15)
        out = copyLiterals(source, anchor, position, target, out)
        const distance = position - match
        target[out++] = distance
        target[out++] = distance >>> 8
        if (extra >= 15) out = putRun(target, out, extra - 15)
        // A later match may begin within the end of this one.
        if (matched <= searchEnd) {
          const inside = view.getInt32(matched - 2, true)
          table[Math.imul(inside, 0x9e3779b1) >>> (32 - HASH_BITS)] = matched - 2 + shift
        }
        position = matched
        anchor = matched
      }
    }
    const literals = end - anchor
    target[out++] = Math.min(literals, 15) << 4
    if (literals >= 15) out = putRun(target, out, literals - 15)
    return copyLiterals(source, anchor, end, target, out)
  }
}

// Up to some fifty bytes, a loop beats `set` with a view.
const LONG_COPY = 56

function copyLiterals(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): number {
  if (to - from > LONG_COPY) {
    target.set(source.subarray(from, to), at)
    return at + (to - from)
  }
  let out = at
  // `as number`: `from` and `to` are within the source.
  for (let i = from; i < to; i++) target[out++] = source[i] as number
  return out
}
