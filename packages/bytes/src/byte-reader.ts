import { CorruptionError } from '@firn/env'
import { decodeUtf8 } from './utf8.js'
import { MAX_VARINT_BYTES } from './varint.js'

/**
 * Reads what `ByteWriter` wrote, from untrusted bytes. Every read checks the bounds before it
 * allocates. Every failure is a `CorruptionError` that names `what` and the offset.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  /** Name of the bytes in messages: `log entry 12`, `footer of sst/….sst`. */
  readonly what: string
  #offset = 0

  constructor(bytes: Uint8Array, what: string) {
    // Callers copy parts with `slice`, which copies a Uint8Array but returns a view of a Buffer.
    this.bytes =
      Object.getPrototypeOf(bytes) === Uint8Array.prototype
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.what = what
  }

  /** Offset of the next byte to read. */
  get offset(): number {
    return this.#offset
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.bytes.length - this.#offset
  }

  get atEnd(): boolean {
    return this.#offset === this.bytes.length
  }

  /** Throws unless everything has been read. */
  expectEnd(): void {
    if (!this.atEnd) throw this.corrupt(`${this.remaining} bytes too many`)
  }

  u8(): number {
    return this.bytes[this.#advance(1)] as number
  }

  u16(): number {
    const at = this.#advance(2)
    return (this.bytes[at] as number) | ((this.bytes[at + 1] as number) << 8)
  }

  u32(): number {
    return readU32(this.bytes, this.#advance(4))
  }

  /** An integer from 0 to 2^53 - 1; a larger one is corruption. */
  u64(): number {
    const at = this.#advance(8)
    const high = readU32(this.bytes, at + 4)
    if (high > 0x1fffff) throw this.corrupt('a u64 above 2^53 - 1', at)
    return high * 2 ** 32 + readU32(this.bytes, at)
  }

  f64(): number {
    const at = this.#advance(8)
    const { buffer, byteOffset } = this.bytes
    return new DataView(buffer, byteOffset + at, 8).getFloat64(0, true)
  }

  /** An integer from 0 to 2^53 - 1 in its shortest form; anything else is corruption. */
  varint(): number {
    const bytes = this.bytes
    const start = this.#offset
    // Past the end this is `undefined`, which fails the comparison; the loop then reports it.
    const first = bytes[start] as number
    if (first < 0x80) {
      this.#offset = start + 1
      return first
    }
    let value = 0
    let scale = 1
    for (let i = 0; i < MAX_VARINT_BYTES; i++, scale *= 0x80) {
      const byte = bytes[start + i]
      if (byte === undefined) throw this.corrupt('a truncated varint', start)
      value += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if (byte === 0) throw this.corrupt('a varint that is not in its shortest form', start)
      if (value > Number.MAX_SAFE_INTEGER) break
      this.#offset = start + i + 1
      return value
    }
    throw this.corrupt('a varint above 2^53 - 1', start)
  }

  /** The next `count` bytes, as a view of `bytes`. */
  take(count: number): Uint8Array {
    const at = this.#advance(count)
    return this.bytes.subarray(at, at + count)
  }

  /** A varint length, then that many bytes as a view. More than `maxLength` is corruption. */
  prefixed(maxLength: number = Number.MAX_SAFE_INTEGER): Uint8Array {
    return this.take(this.#length(maxLength))
  }

  /** A varint length, then that many bytes of UTF-8. More than `maxLength` bytes is corruption. */
  text(maxLength: number = Number.MAX_SAFE_INTEGER): string {
    const count = this.#length(maxLength)
    const at = this.#advance(count)
    const text = decodeUtf8(this.bytes, at, at + count)
    if (text === undefined) throw this.corrupt('text that is not UTF-8', at)
    return text
  }

  /** Returns an error to throw, for a problem at `offset` (by default the current one). */
  corrupt(problem: string, offset: number = this.#offset): CorruptionError {
    return new CorruptionError(`${this.what}: ${problem}, at offset ${offset}`)
  }

  #length(maxLength: number): number {
    const at = this.#offset
    const count = this.varint()
    if (count > maxLength) throw this.corrupt(`a length of ${count}, above ${maxLength}`, at)
    return count
  }

  #advance(count: number): number {
    const at = this.#offset
    // Negated, so that NaN fails too.
    if (!(count >= 0 && count <= this.bytes.length - at)) {
      throw this.corrupt(`needs ${count} bytes, has ${this.remaining}`)
    }
    this.#offset = at + count
    return at
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}
