import { InvalidArgumentError, isDate, isUint8Array } from '@firn/env'
import { ByteWriter } from '../byte-writer.js'
import type { TupleValue } from '../tuple.js'
import { UTF8_BYTES_PER_UNIT, writeUtf8 } from '../utf8.js'
import {
  BIGINT_SHORT_BYTES,
  BIGINT_ZERO,
  END,
  ESCAPE,
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

const KEPT_CAPACITY = 64 * 1024

const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)

// A writer that calls reuse. It is taken for the duration of a call, since `values` can be a proxy
// whose traps encode another tuple.
let spare: ByteWriter | undefined

export function encodeElements(values: readonly TupleValue[]): Uint8Array {
  const out = spare ?? new ByteWriter(256)
  spare = undefined
  out.reset()
  try {
    for (let i = 0; i < values.length; i++) put(out, values[i] as TupleValue, 0)
    return out.view().slice()
  } finally {
    if (out.buffer.length <= KEPT_CAPACITY) spare = out
  }
}

function put(out: ByteWriter, value: TupleValue, depth: number): void {
  switch (typeof value) {
    case 'string':
      putString(out, value)
      return
    case 'number':
      if (Number.isNaN(value)) throw new InvalidArgumentError("a tuple key can't hold NaN")
      // Adding 0 turns -0 into 0.
      putDouble(out, TAG_NUMBER, value + 0)
      return
    case 'bigint':
      putBigint(out, value)
      return
    case 'boolean':
      out.u8(value ? TAG_TRUE : TAG_FALSE)
      return
    case 'object':
      putObject(out, value, depth)
      return
    default:
      throw new InvalidArgumentError(`a tuple key can't hold a value of type ${typeof value}`)
  }
}

function putObject(
  out: ByteWriter,
  value: null | Date | Uint8Array | TupleValue[],
  depth: number,
): void {
  if (value === null) {
    out.u8(TAG_NULL)
  } else if (Array.isArray(value)) {
    if (depth === MAX_DEPTH) {
      throw new InvalidArgumentError(`a tuple key can't nest tuples deeper than ${MAX_DEPTH}`)
    }
    out.u8(TAG_TUPLE)
    for (let i = 0; i < value.length; i++) put(out, value[i] as TupleValue, depth + 1)
    out.u8(END)
  } else if (isUint8Array(value)) {
    out.u8(TAG_BYTES)
    putEscaped(out, value)
  } else if (isDate(value)) {
    const ms = value.getTime()
    if (Number.isNaN(ms)) throw new InvalidArgumentError("a tuple key can't hold an invalid Date")
    putDouble(out, TAG_DATE, ms)
  } else {
    throw new InvalidArgumentError("a tuple key can't hold objects but Date, Uint8Array and arrays")
  }
}

// The bits of doubles sort as the numbers do, once the sign bit of positives is set and every bit
// of negatives is inverted.
function putDouble(out: ByteWriter, tag: number, value: number): void {
  scratchView.setFloat64(0, value)
  const high = scratchView.getInt32(0)
  const low = scratchView.getInt32(4)
  const flip = high >> 31
  const at = out.reserve(9)
  const buffer = out.buffer
  buffer[at] = tag
  putU32(buffer, at + 1, high ^ (flip | 0x80000000))
  putU32(buffer, at + 5, low ^ flip)
}

function putU32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
}

function putBigint(out: ByteWriter, value: bigint): void {
  const negative = value < 0n
  const magnitude = negative ? -value : value
  const digits = magnitude === 0n ? '' : magnitude.toString(16)
  const count = (digits.length + 1) >>> 1
  const short = count <= BIGINT_SHORT_BYTES
  const head = BIGINT_ZERO + (short ? count : BIGINT_SHORT_BYTES + 1)
  let at = out.reserve(2 + (short ? 0 : 4) + count)
  const buffer = out.buffer
  const first = at
  buffer[at++] = TAG_BIGINT
  buffer[at++] = head
  if (!short) {
    putU32(buffer, at, count)
    at += 4
  }
  let digit = digits.length - 2 * count
  for (; digit < digits.length; digit += 2) {
    buffer[at++] = Number.parseInt(digits.slice(Math.max(digit, 0), digit + 2), 16)
  }
  if (negative) {
    // The complement reverses the order, so that larger magnitudes come first. For the head,
    // 0x80 + n becomes 0x80 - n.
    buffer[first + 1] = 2 * BIGINT_ZERO - head
    for (let i = first + 2; i < at; i++) buffer[i] = ~(buffer[i] as number)
  }
}

function putString(out: ByteWriter, text: string): void {
  out.u8(TAG_STRING)
  const start = out.reserve(text.length * UTF8_BYTES_PER_UNIT)
  const buffer = out.buffer
  const end = writeUtf8(text, buffer, start)
  out.truncate(end)
  for (let i = start; i < end; i++) {
    if ((buffer[i] as number) <= ESCAPE) {
      // NUL or U+0001 in a string is rare: write it again, escaped.
      const plain = buffer.slice(start, end)
      out.truncate(start)
      putEscaped(out, plain)
      return
    }
  }
  out.u8(END)
}

function putEscaped(out: ByteWriter, bytes: Uint8Array): void {
  let extra = 0
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) <= ESCAPE) extra++
  let at = out.reserve(bytes.length + extra + 1)
  const buffer = out.buffer
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte > ESCAPE) {
      buffer[at++] = byte
    } else {
      buffer[at++] = ESCAPE
      buffer[at++] = byte + 1
    }
  }
  buffer[at] = END
}
