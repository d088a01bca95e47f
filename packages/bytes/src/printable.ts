import { InvalidArgumentError } from '@firn/env'
import { ByteWriter } from './byte-writer.js'
import { hexDigit, toHex } from './hex.js'
import { decodeUtf8, utf8Encode } from './utf8.js'

// Characters that a terminal acts on instead of showing: control and format characters (including
// those that reverse the direction of text) and line separators. The joiners U+200C and U+200D
// aren't among them, because some scripts and emoji need them.
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const BACKSLASH = 0x5c

/**
 * Renders any bytes as readable text. Printable UTF-8 stays as it is, a backslash becomes `\\`, and
 * every byte of the rest becomes `\xNN`. `parsePrintable` returns the original bytes.
 */
export function printable(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; ) {
    const byte = bytes[i] as number
    if (byte === BACKSLASH) {
      text += '\\\\'
      i++
      continue
    }
    const length = sequenceLength(byte)
    const character = isCharacter(bytes, i, length) ? decodeUtf8(bytes, i, i + length) : undefined
    if (character === undefined) {
      text += escapeBytes(bytes, i, i + 1)
      i++
    } else {
      text += UNPRINTABLE.test(character) ? escapeBytes(bytes, i, i + length) : character
      i += length
    }
  }
  return text
}

/**
 * Inverse of `printable`: `\\` is a backslash, `\xNN` a byte, and everything else its UTF-8.
 * Throws `InvalidArgumentError` for any other backslash and for lone surrogates.
 */
export function parsePrintable(text: string): Uint8Array {
  const out = new ByteWriter(text.length)
  for (let i = 0; i < text.length; ) {
    const slash = text.indexOf('\\', i)
    const end = slash < 0 ? text.length : slash
    if (end > i) out.bytes(utf8Encode(text.slice(i, end)))
    if (slash < 0) break
    if (text[slash + 1] === '\\') {
      out.u8(BACKSLASH)
      i = slash + 2
      continue
    }
    const high = hexDigit(text.charCodeAt(slash + 2))
    const low = hexDigit(text.charCodeAt(slash + 3))
    if (text[slash + 1] !== 'x' || high < 0 || low < 0) {
      throw new InvalidArgumentError(
        `a backslash at index ${slash} is neither \\\\ nor \\xNN; write \\\\ for a plain one`,
      )
    }
    out.u8((high << 4) | low)
    i = slash + 4
  }
  return out.take()
}

/** Length of the UTF-8 sequence that `byte` starts, in bytes; 1 if it starts none. */
function sequenceLength(byte: number): number {
  if (byte < 0xc2 || byte > 0xf4) return 1
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

/** Whether `length` bytes at `at` are one character. A decoder that throws would take 10 µs. */
function isCharacter(bytes: Uint8Array, at: number, length: number): boolean {
  const first = bytes[at] as number
  if (length === 1) return first < 0x80
  for (let i = at + 1; i < at + length; i++) {
    // Past the end this is `undefined`, which counts as 0.
    if (((bytes[i] as number) & 0xc0) !== 0x80) return false
  }
  // No overlong forms, no surrogates, nothing above U+10FFFF.
  const second = bytes[at + 1] as number
  if (first === 0xe0) return second >= 0xa0
  if (first === 0xed) return second < 0xa0
  if (first === 0xf0) return second >= 0x90
  return first !== 0xf4 || second < 0x90
}

function escapeBytes(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += `\\x${toHex(bytes.subarray(i, i + 1))}`
  return text
}
