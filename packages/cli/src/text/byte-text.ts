import {
  fromBase64,
  fromHex,
  printable,
  toBase64,
  toHex,
  utf8Decode,
  utf8Encode,
} from '@firn/bytes'
import { isFirnError } from '@firn/env'
import { UsageError } from '../errors.js'

/** How bytes are written as text: as UTF-8 if they are that, or as digits. */
export type ByteFormat = 'text' | 'hex' | 'base64'

// Characters that a terminal would act on instead of showing them, as in `printable` of
// @firn/bytes.
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** Decodes UTF-8; returns `undefined` for other bytes. */
export function utf8OrUndefined(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Decodes a line. If it isn't UTF-8, the text has replacements, and `invalidAt` is the first wrong
 * byte.
 */
export function decodeLine(bytes: Uint8Array): { text: string; invalidAt: number | undefined } {
  const text = utf8OrUndefined(bytes)
  if (text !== undefined) return { text, invalidAt: undefined }
  const replaced = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  let at = 0
  let from = 0
  for (;;) {
    const next = replaced.indexOf('\ufffd', from)
    at += Buffer.byteLength(next < 0 ? replaced.slice(from) : replaced.slice(from, next))
    // A replacement character may be in the file itself.
    const genuine = bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd
    if (next < 0 || !genuine) return { text: replaced, invalidAt: at }
    at += 3
    from = next + 1
  }
}

/** Shows bytes on one line: UTF-8 as itself if a terminal only shows it, else with escapes. */
export function lineOf(bytes: Uint8Array): string {
  const text = utf8OrUndefined(bytes)
  return text === undefined || UNPRINTABLE.test(text) ? printable(bytes) : text
}

/** Shows bytes as text of several lines, safe on a terminal. */
export function documentOf(bytes: Uint8Array): string {
  const text = utf8OrUndefined(bytes)
  const safe = text !== undefined && !UNPRINTABLE.test(text.replace(/[\t\r\n]/g, ''))
  return safe ? text : printable(bytes)
}

/** Escapes all that a terminal would act on, as in `\x1b` and `\u{202e}`. */
export function safeText(text: string): string {
  if (!UNPRINTABLE.test(text)) return text
  return text.replace(new RegExp(UNPRINTABLE, 'gu'), (character) => {
    const digits = (character.codePointAt(0) as number).toString(16)
    return digits.length > 2 ? `\\u{${digits}}` : `\\x${digits.padStart(2, '0')}`
  })
}

/**
 * Escapes all in a JSON text that a terminal would act on as `\uNNNN`, which means the same in
 * JSON.
 */
export function printableJson(json: string): string {
  if (!UNPRINTABLE.test(json)) return json
  return json.replace(new RegExp(UNPRINTABLE, 'gu'), (character) => {
    if (character === '\n' || character === '\r' || character === '\t') return ' '
    let escaped = ''
    for (let i = 0; i < character.length; i++) {
      escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
    }
    return escaped
  })
}

/** Escapes lines of JSON as `printableJson` does, and keeps their ends. */
export function printableJsonLines(lines: string): string {
  return lines.split('\n').map(printableJson).join('\n')
}

export function digitsOf(bytes: Uint8Array, format: 'hex' | 'base64'): string {
  return format === 'hex' ? toHex(bytes) : toBase64(bytes)
}

/** Decodes an argument. `what` names it in the error if it is invalid. */
export function bytesOf(text: string, format: ByteFormat, what: string): Uint8Array {
  try {
    if (format === 'hex') return fromHex(text)
    if (format === 'base64') return fromBase64(text)
    return utf8Encode(text)
  } catch (error) {
    if (!isFirnError(error, 'FIRN_INVALID_ARGUMENT')) throw error
    throw new UsageError(`${what}: ${error.message}`, { cause: error })
  }
}
