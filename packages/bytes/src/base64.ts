import { InvalidArgumentError } from '@firn/env'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const INVALID = 0xff

const VALUES: Uint8Array = new Uint8Array(128).fill(INVALID)
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value
// Base64url is accepted too, because people paste both.
VALUES['-'.charCodeAt(0)] = 62
VALUES['_'.charCodeAt(0)] = 63

/** Encodes as Base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += ALPHABET.charAt(word >>> 18)
    text += ALPHABET.charAt((word >>> 12) & 63)
    text += left > 1 ? ALPHABET.charAt((word >>> 6) & 63) : '='
    text += left > 2 ? ALPHABET.charAt(word & 63) : '='
  }
  return text
}

/**
 * Decodes Base64 or Base64url, with or without padding. Throws `InvalidArgumentError` for other
 * characters, an impossible length, or bits set past the last byte.
 */
export function fromBase64(text: string): Uint8Array {
  let units = text.length
  if (units % 4 === 0 && text.endsWith('==')) units -= 2
  else if (units % 4 === 0 && text.endsWith('=')) units -= 1
  if (units % 4 === 1) throw new InvalidArgumentError(`not Base64: ${text.length} characters`)
  const bytes = new Uint8Array(Math.floor((units * 3) / 4))
  let at = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < units; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? INVALID
    if (value === INVALID) throw new InvalidArgumentError(`not Base64: character at index ${i}`)
    held = (held << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = held >>> bits
      held &= (1 << bits) - 1
    }
  }
  if (held !== 0) throw new InvalidArgumentError('not Base64: bits are set past the last byte')
  return bytes
}
