import { CorruptionError } from '@firn/env'
import type { TupleValue } from '../tuple.js'
import { decodeUtf8 } from '../utf8.js'
import {
  BIGINT_SHORT_BYTES,
  BIGINT_ZERO,
  END,
  ESCAPE,
  MAX_DATE_MS,
  MAX_DEPTH,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_DATE,
  TAG_FALSE,
  TAG_NULL,
  TAG_NUMBER,
  TAG_STRING,
  TAG_TRUE,
  TAG_TUPLE,
} from './tuple-layout.js'

const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)

export function decodeElements(bytes: Uint8Array): TupleValue[] {
  const decoder = new TupleDecoder(bytes)
  const values: TupleValue[] = []
  while (decoder.offset < bytes.length) values.push(decoder.element(0))
  return values
}

class TupleDecoder {
  readonly bytes: Uint8Array
  offset = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  element(depth: number): TupleValue {
    const start = this.offset
    const tag = this.#byte()
    switch (tag) {
      case TAG_NULL:
        return null
      case TAG_FALSE:
        return false
      case TAG_TRUE:
        return true
      case TAG_NUMBER: {
        const value = this.#double()
        if (Number.isNaN(value) || Object.is(value, -0)) throw corrupt('NaN or -0', start)
        return value
      }
      case TAG_BIGINT:
        return this.#bigint()
      case TAG_DATE: {
        const ms = this.#double()
        if (!Number.isInteger(ms) || Object.is(ms, -0) || Math.abs(ms) > MAX_DATE_MS) {
          throw corrupt('a date that is out of range', start)
        }
        return new Date(ms)
      }
      case TAG_STRING: {
        const content = this.#escaped()
        const text = decodeUtf8(content, 0, content.length)
        if (text === undefined) throw corrupt('a string that is not UTF-8', start)
        return text
      }
      case TAG_BYTES:
        // `#escaped` may return a view; the caller gets a copy.
        return this.#escaped().slice()
      case TAG_TUPLE: {
        if (depth === MAX_DEPTH) throw corrupt(`tuples nested deeper than ${MAX_DEPTH}`, start)
        const values: TupleValue[] = []
        while (this.#peek() !== END) values.push(this.element(depth + 1))
        this.offset++
        return values
      }
      default:
        throw corrupt(`an element of unknown type 0x${tag.toString(16)}`, start)
    }
  }

  #peek(): number {
    const byte = this.bytes[this.offset]
    if (byte === undefined) throw corrupt('a truncated element', this.offset)
    return byte
  }

  #byte(): number {
    const byte = this.#peek()
    this.offset++
    return byte
  }

  #take(count: number): Uint8Array {
    const start = this.offset
    if (count > this.bytes.length - start) throw corrupt('a truncated element', start)
    this.offset = start + count
    return this.bytes.subarray(start, this.offset)
  }

  #double(): number {
    const stored = this.#take(8)
    const flip = (stored[0] as number) >= 0x80 ? 0x00 : 0xff
    for (let i = 0; i < 8; i++) scratch[i] = (stored[i] as number) ^ flip
    if (flip === 0) scratch[0] = (scratch[0] as number) & 0x7f
    return scratchView.getFloat64(0)
  }

  #bigint(): bigint {
    const start = this.offset
    const head = this.#byte()
    if (head === BIGINT_ZERO) return 0n
    const negative = head < BIGINT_ZERO
    const flip = negative ? 0xff : 0x00
    let count = Math.abs(head - BIGINT_ZERO)
    if (count > BIGINT_SHORT_BYTES) {
      // A head of 0x00 would be a count of 0x80; the encoder writes at most 0x7f.
      if (count > BIGINT_SHORT_BYTES + 1) throw corrupt('a bigint head of 0x00', start)
      count = 0
      for (const byte of this.#take(4)) count = count * 256 + (byte ^ flip)
      if (count <= BIGINT_SHORT_BYTES) throw corrupt('a bigint with an overlong count', start)
    }
    const stored = this.#take(count)
    if (((stored[0] as number) ^ flip) === 0) throw corrupt('a bigint with leading zeros', start)
    const magnitude = bigintOf(stored, flip)
    return negative ? -magnitude : magnitude
  }

  /** Content up to its END, which is skipped: a copy if something was escaped, or else a view. */
  #escaped(): Uint8Array {
    const { bytes } = this
    const start = this.offset
    let escapes = 0
    let at = start
    for (; ; at++) {
      const byte = bytes[at]
      if (byte === undefined) throw corrupt('a truncated element', at)
      if (byte === END) break
      if (byte === ESCAPE) {
        const escaped = bytes[++at]
        if (escaped !== 1 && escaped !== 2) throw corrupt('an invalid escape', at)
        escapes++
      }
    }
    this.offset = at + 1
    if (escapes === 0) return bytes.subarray(start, at)
    const content = new Uint8Array(at - start - escapes)
    for (let from = start, to = 0; from < at; from++) {
      const byte = bytes[from] as number
      content[to++] = byte === ESCAPE ? (bytes[++from] as number) - 1 : byte
    }
    return content
  }
}

// BigInt parses hexadecimal in linear time; shifting byte by byte would be quadratic.
function bigintOf(stored: Uint8Array, flip: number): bigint {
  let digits = '0x'
  for (const byte of stored) digits += (byte ^ flip).toString(16).padStart(2, '0')
  return BigInt(digits)
}

function corrupt(problem: string, offset: number): CorruptionError {
  return new CorruptionError(`tuple key: ${problem}, at offset ${offset}`)
}
