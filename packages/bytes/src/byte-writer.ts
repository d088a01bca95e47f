import { InvalidArgumentError } from '@firn/env'
import { UTF8_BYTES_PER_UNIT, utf8Encode, writeUtf8 } from './utf8.js'
import { MAX_VARINT_BYTES, varintLength } from './varint.js'

// A float's eight bytes pass through here: a DataView of the growing buffer would have to be made
// anew at each growth.
const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)

// Below this many bytes a loop beats `Uint8Array.prototype.set`, which costs 45 ns with its view.
const SHORT_COPY = 28

// Longer text is encoded apart: in place it would need room for three bytes a unit.
const LONG_TEXT = 4096

/**
 * Appends numbers, bytes and text to a buffer that doubles as it fills. Numbers are little endian.
 *
 * Numbers out of a method's range throw `InvalidArgumentError`; what was written stays as it was.
 */
export class ByteWriter {
  /**
   * Where the bytes go: for hot paths that write by index what they got from `reserve`. Another
   * array after each growth, so never kept across a write. Bytes past `length` mean nothing.
   */
  buffer: Uint8Array
  #length = 0

  /** `initial` is the capacity in bytes that is allocated at first, or the buffer to write to. */
  constructor(initial: number | Uint8Array = 256) {
    this.buffer = typeof initial === 'number' ? new Uint8Array(initial) : initial
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length
  }

  /**
   * Makes room for `count` bytes more, counts them as written, and gives the first one's offset.
   */
  reserve(count: number): number {
    const offset = this.#length
    const end = offset + count
    if (end > this.buffer.length) this.#grow(end)
    this.#length = end
    return offset
  }

  /** Cuts what was written back to its first `length` bytes: what `reserve` took too much of. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length)) throw outOfRange('length', length, this.#length)
    this.#length = length
  }

  /** One byte: 0 to 255. */
  u8(value: number): void {
    if ((value & 0xff) !== value) throw outOfRange('u8', value, 0xff)
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  /** Two bytes: 0 to 65,535. */
  u16(value: number): void {
    if ((value & 0xffff) !== value) throw outOfRange('u16', value, 0xffff)
    const at = this.reserve(2)
    this.buffer[at] = value
    this.buffer[at + 1] = value >>> 8
  }

  /** Four bytes: 0 to 2^32 - 1. */
  u32(value: number): void {
    if (value >>> 0 !== value) throw outOfRange('u32', value, 0xffffffff)
    const at = this.reserve(4)
    putU32(this.buffer, at, value)
  }

  /** Eight bytes: an integer from 0 to 2^53 - 1. */
  u64(value: number): void {
    assertSafe('u64', value)
    const at = this.reserve(8)
    putU32(this.buffer, at, value >>> 0)
    putU32(this.buffer, at + 4, Math.floor(value / 2 ** 32))
  }

  /** Eight bytes: an IEEE 754 double. */
  f64(value: number): void {
    scratchView.setFloat64(0, value, true)
    this.range(scratch, 0, 8)
  }

  /** An integer from 0 to 2^53 - 1 in 1 to 8 bytes: seven bits in each, low bits first (LEB128). */
  varint(value: number): void {
    // Most are lengths below 128.
    if ((value & 0x7f) === value) {
      const at = this.reserve(1)
      this.buffer[at] = value
      return
    }
    assertSafe('varint', value)
    if (this.#length + 8 > this.buffer.length) this.#grow(this.#length + 8)
    const buffer = this.buffer
    let at = this.#length
    let rest = value
    // Bit operations hold 32 bits only: a larger number goes in two parts, by one division.
    if (rest >= 0x10000000) {
      const low = rest % 0x10000000
      rest = (rest - low) / 0x10000000
      buffer[at++] = (low & 0x7f) | 0x80
      buffer[at++] = ((low >>> 7) & 0x7f) | 0x80
      buffer[at++] = ((low >>> 14) & 0x7f) | 0x80
      buffer[at++] = (low >>> 21) | 0x80
    }
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    buffer[at++] = rest
    this.#length = at
  }

  /** All of `bytes`, as they are. */
  bytes(bytes: Uint8Array): void {
    this.range(bytes, 0, bytes.length)
  }

  /** `bytes[start, end)`, as they are. The range must lie within `bytes`; that isn't checked. */
  range(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start
    let at = this.reserve(count)
    const buffer = this.buffer
    if (count > SHORT_COPY) {
      buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at)
    } else {
      for (let i = start; i < end; i++) buffer[at++] = bytes[i] as number
    }
  }

  /** The varint of `bytes`' length, then `bytes`. */
  prefixed(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.range(bytes, 0, bytes.length)
  }

  /** The varint of the UTF-8 length, then UTF-8. `InvalidArgumentError` for a lone surrogate. */
  text(text: string): void {
    const units = text.length
    if (units > LONG_TEXT) {
      this.prefixed(utf8Encode(text))
      return
    }
    const start = this.#length
    const room = start + MAX_VARINT_BYTES + units * UTF8_BYTES_PER_UNIT
    if (room > this.buffer.length) this.#grow(room)
    // As if it were ASCII, whose length is known before it is encoded; moved where it isn't.
    const guess = start + varintLength(units)
    const count = writeUtf8(text, this.buffer, guess) - guess
    const at = start + varintLength(count)
    if (at !== guess) this.buffer.copyWithin(at, guess, guess + count)
    this.varint(count)
    this.#length = at + count
  }

  /** Overwrites the four bytes at `at`, written before, with a u32. */
  setU32(at: number, value: number): void {
    if (value >>> 0 !== value) throw outOfRange('u32', value, 0xffffffff)
    if (!(at >= 0 && at + 4 <= this.#length)) throw outOfRange('offset', at, this.#length - 4)
    putU32(this.buffer, at, value)
  }

  /** What was written, without a copy: valid until the next write, `take` or `reset`. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.#length)
  }

  /**
   * What was written, as an array of exactly that length that is the caller's alone; the writer
   * is empty after. A full buffer is handed over, any other is copied from and kept.
   */
  take(): Uint8Array {
    const length = this.#length
    this.#length = 0
    if (length !== this.buffer.length) return this.buffer.slice(0, length)
    const taken = this.buffer
    this.buffer = EMPTY
    return taken
  }

  /** Forgets what was written; keeps the buffer. */
  reset(): void {
    this.#length = 0
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2, 64))
    grown.set(this.#length === this.buffer.length ? this.buffer : this.view())
    this.buffer = grown
  }
}

const EMPTY = new Uint8Array(0)

function putU32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value
  buffer[at + 1] = value >>> 8
  buffer[at + 2] = value >>> 16
  buffer[at + 3] = value >>> 24
}

function assertSafe(what: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0)) {
    throw outOfRange(what, value, Number.MAX_SAFE_INTEGER)
  }
}

function outOfRange(what: string, value: number, limit: number): InvalidArgumentError {
  return new InvalidArgumentError(`${what} must be an integer from 0 to ${limit}, got ${value}`)
}
