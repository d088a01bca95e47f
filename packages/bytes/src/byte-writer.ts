import { InvalidArgumentError } from '@firn/env'
import { UTF8_BYTES_PER_UNIT, utf8Encode, writeUtf8 } from './utf8.js'
import { MAX_VARINT_BYTES, varintLength } from './varint.js'

// Floats pass through here, because a DataView of the buffer would be stale after each growth.
const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)

// Up to this many bytes a loop beats `Uint8Array.prototype.set`, which takes 45 ns with its view.
const SHORT_COPY = 28

// Longer text is encoded outside the buffer: in place it would need room for three bytes a unit.
const LONG_TEXT = 4096

/**
 * Appends numbers, bytes and text to a buffer that doubles as it fills. Numbers are little endian.
 *
 * A number outside a method's range throws `InvalidArgumentError` and writes nothing.
 */
export class ByteWriter {
  /**
   * The buffer itself, for hot paths that call `reserve` and then write by index. Each growth
   * replaces the array, so don't keep it across a write. Bytes past `length` have no meaning.
   */
  buffer: Uint8Array
  #length = 0

  /** `initial` is the capacity to allocate, in bytes, or a buffer to write to. */
  constructor(initial: number | Uint8Array = 256) {
    this.buffer = typeof initial === 'number' ? new Uint8Array(initial) : initial
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length
  }

  /** Makes room for `count` more bytes, counts them as written, and returns the first's offset. */
  reserve(count: number): number {
    const offset = this.#length
    const end = offset + count
    if (end > this.buffer.length) this.#grow(end)
    this.#length = end
    return offset
  }

  /** Keeps only the first `length` bytes, for example after `reserve` took too many. */
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
    // Most varints are lengths below 128.
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
    // Bit operations hold only 32 bits, so one division splits a larger number in two parts.
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

  /** All of `bytes`, without a length. */
  bytes(bytes: Uint8Array): void {
    this.range(bytes, 0, bytes.length)
  }

  /** `bytes[start, end)`, without a length. The range must lie within `bytes`; not checked. */
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

  /** The length of `bytes` as a varint, then `bytes`. */
  prefixed(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.range(bytes, 0, bytes.length)
  }

  /** UTF-8 after its length as a varint. Throws `InvalidArgumentError` for a lone surrogate. */
  text(text: string): void {
    const units = text.length
    if (units > LONG_TEXT) {
      this.prefixed(utf8Encode(text))
      return
    }
    const start = this.#length
    const room = start + MAX_VARINT_BYTES + units * UTF8_BYTES_PER_UNIT
    if (room > this.buffer.length) this.#grow(room)
    // Leave room for the length that ASCII text would have; move the text if it isn't ASCII.
    const guess = start + varintLength(units)
    const count = writeUtf8(text, this.buffer, guess) - guess
    const at = start + varintLength(count)
    if (at !== guess) this.buffer.copyWithin(at, guess, guess + count)
    this.varint(count)
    this.#length = at + count
  }

  /** Overwrites four bytes that were written before, at `at`, with a u32. */
  setU32(at: number, value: number): void {
    if (value >>> 0 !== value) throw outOfRange('u32', value, 0xffffffff)
    if (!(at >= 0 && at + 4 <= this.#length)) throw outOfRange('offset', at, this.#length - 4)
    putU32(this.buffer, at, value)
  }

  /** The bytes written, as a view that is valid until the next write, `take` or `reset`. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.#length)
  }

  /**
   * Returns the bytes written, in an array of exactly that length that belongs to the caller, and
   * empties the writer. A full buffer is handed over; otherwise the bytes are copied out of it.
   */
  take(): Uint8Array {
    const length = this.#length
    this.#length = 0
    if (length !== this.buffer.length) return this.buffer.slice(0, length)
    const taken = this.buffer
    this.buffer = EMPTY
    return taken
  }

  /** Empties the writer, and keeps its buffer. */
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
