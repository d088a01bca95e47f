import type { Env } from './env.js'
import { InvalidArgumentError } from './errors.js'

// Crockford's base 32: no I, L, O, U. https://github.com/ulid/spec
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** A ULID's length in its binary form. */
export const ULID_BYTES = 16

/** A fresh ULID: 48 bits of wall-clock milliseconds, 80 random bits, as 26 characters. */
export function ulid(env: Env): string {
  const bytes = new Uint8Array(ULID_BYTES)
  let ms = Math.floor(env.now() / 1000)
  for (let i = 5; i >= 0; i--) {
    bytes[i] = ms % 256
    ms = Math.floor(ms / 256)
  }
  bytes.set(env.randomBytes(10), 6)
  return ulidFromBytes(bytes)
}

/** True for the canonical (upper-case, 26-character) form of a ULID. */
export function isUlid(text: string): boolean {
  return PATTERN.test(text)
}

/** The 16 bytes of a ULID. Throws `InvalidArgumentError` for anything but its canonical form. */
export function ulidToBytes(text: string): Uint8Array {
  if (!isUlid(text)) throw new InvalidArgumentError(`not a ULID: ${JSON.stringify(text)}`)
  let value = 0n
  for (const character of text) value = value * 32n + BigInt(ALPHABET.indexOf(character))
  const bytes = new Uint8Array(ULID_BYTES)
  for (let i = ULID_BYTES - 1; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn)
    value >>= 8n
  }
  return bytes
}

/** The canonical form of 16 bytes. Throws `InvalidArgumentError` for another length. */
export function ulidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== ULID_BYTES) {
    throw new InvalidArgumentError(`a ULID has ${ULID_BYTES} bytes, got ${bytes.length}`)
  }
  let value = 0n
  for (const byte of bytes) value = value * 256n + BigInt(byte)
  let text = ''
  for (let i = 0; i < 26; i++) {
    text = ALPHABET.charAt(Number(value & 31n)) + text
    value >>= 5n
  }
  return text
}
