import { InvalidArgumentError } from '@firn/env'

/** The longest key in bytes (and characters, as keys are ASCII). It is S3's limit. */
export const MAX_KEY_BYTES = 1024

// No segment is empty, '.' or '..'. Everything is ASCII, so JavaScript's order of strings is the
// byte order of the keys.
const SEGMENT = '(?!\\.{1,2}(?:/|$))[A-Za-z0-9._=@+-]+'
const KEY = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*$`)
const PREFIX = new RegExp(`^(?:${SEGMENT}/)*(?:[A-Za-z0-9._=@+-]*)$`)

/** Whether a value is a valid key, which every store accepts. */
export function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length <= MAX_KEY_BYTES && KEY.test(key)
}

/** Throws `InvalidArgumentError` unless `key` is valid. The message doesn't contain the key. */
export function assertKey(key: string): void {
  if (!isKey(key)) {
    throw new InvalidArgumentError(
      `an object key must be 1 to ${MAX_KEY_BYTES} bytes of A-Z a-z 0-9 . _ = @ + - in segments ` +
        `separated by '/', none of them empty, '.' or '..'; got ${describe(key)}`,
    )
  }
}

/**
 * Throws `InvalidArgumentError` unless a key can begin with `prefix`. `what` names the argument.
 * The empty string and a trailing '/' are valid.
 */
export function assertKeyPrefix(prefix: string, what: string): void {
  if (typeof prefix !== 'string' || prefix.length > MAX_KEY_BYTES || !PREFIX.test(prefix)) {
    throw new InvalidArgumentError(
      `${what} must be the beginning of an object key (A-Z a-z 0-9 . _ = @ + - and '/', no empty, ` +
        `'.' or '..' segments); got ${describe(prefix)}`,
    )
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `${value.length} characters that aren't one` : typeof value
}
