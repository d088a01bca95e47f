import { InvalidArgumentError } from '@firn/env'

const encoder = new TextEncoder()
// A byte-order mark is data like any other: ignoreBOM keeps it in the text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

// Up to these many bytes a loop beats the call into TextDecoder and TextEncoder.
const SHORT_DECODE = 24
const SHORT_ENCODE = 96

/**
 * The UTF-8 form of `text`. Throws `InvalidArgumentError` for a lone surrogate: it has no UTF-8
 * form, and a replacement character in its place would make different strings equal.
 */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text))
  writeUtf8(text, bytes, 0, bytes.length)
  return bytes
}

/** The text of UTF-8 bytes. Throws `InvalidArgumentError` where they aren't well-formed UTF-8. */
export function utf8Decode(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes, 0, bytes.length)
  if (text === undefined) {
    throw new InvalidArgumentError(`${bytes.length} bytes are not UTF-8; read them as bytes`)
  }
  return text
}

/** The text of `bytes[start, end)`, `undefined` where that isn't well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= SHORT_DECODE) {
    let text = ''
    let i = start
    for (; i < end; i++) {
      const byte = bytes[i] as number
      if (byte >= 0x80) break
      text += String.fromCharCode(byte)
    }
    if (i === end) return text
  }
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

/** How many bytes `text` takes in UTF-8. Throws `InvalidArgumentError` for a lone surrogate. */
export function utf8Length(text: string): number {
  const units = text.length
  let length = units
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) {
      length += 1
    } else {
      // Three bytes for one unit, or four for the two units of a surrogate pair: two more each.
      length += 2
      if ((unit & 0xf800) === 0xd800) {
        if (unit >= 0xdc00 || (text.charCodeAt(i + 1) & 0xfc00) !== 0xdc00) {
          throw new InvalidArgumentError(
            `text has a lone surrogate at index ${i}, which UTF-8 can't hold; store it as bytes`,
          )
        }
        i++
      }
    }
  }
  return length
}

/** Writes `text`, known to be well formed and to take `length` bytes, into `target` at `offset`. */
export function writeUtf8(
  text: string,
  target: Uint8Array,
  offset: number,
  length: number,
): void {
  if (length > SHORT_ENCODE) {
    encoder.encodeInto(text, target.subarray(offset, offset + length))
    return
  }
  let at = offset
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      target[at++] = unit
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >>> 6)
      target[at++] = 0x80 | (unit & 0x3f)
    } else if ((unit & 0xf800) !== 0xd800) {
      target[at++] = 0xe0 | (unit >>> 12)
      target[at++] = 0x80 | ((unit >>> 6) & 0x3f)
      target[at++] = 0x80 | (unit & 0x3f)
    } else {
      const point = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
      target[at++] = 0xf0 | (point >>> 18)
      target[at++] = 0x80 | ((point >>> 12) & 0x3f)
      target[at++] = 0x80 | ((point >>> 6) & 0x3f)
      target[at++] = 0x80 | (point & 0x3f)
    }
  }
}
