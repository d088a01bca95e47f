import { InvalidArgumentError } from '@firn/env'

/** The longest key in bytes; keys are ASCII, so in characters too. It is S3's limit. */
export const MAX_KEY_BYTES = 1024

// No segment is empty, '.' or '..'. Everything is ASCII, so JavaScript's order of strings is the
// byte order of the keys.
const SEGMENT = '(?!\\.{1,2}(?:/|$))[A-Za-z0-9._=@+-]+'
const KEY = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*$`)
const PREFIX = new RegExp(`^(?:${SEGMENT}/)*(?:[A-Za-z0-9._=@+-]*)$`)

/** True for a key that every store takes. */
export function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length <= MAX_KEY_BYTES && KEY.test(key)
}

/** Throws `InvalidArgumentError` for anything but a key. The message doesn't repeat it. */
export function assertKey(key: string): void {
  if (!isKey(key)) {
    throw new InvalidArgumentError(
      `an object key is 1 to ${MAX_KEY_BYTES} bytes of A-Z a-z 0-9 . _ = @ + - in segments parted ` +
        `by '/', none of them empty, '.' or '..'; got ${describe(key)}`,
    )
  }
}

/**
 * Throws `InvalidArgumentError` for what no key can begin with. `what` names the argument. The
 * empty string and a trailing '/' are fine.
 */
export function assertKeyPrefix(prefix: string, what: string): void {
  if (typeof prefix !== 'string' || prefix.length > MAX_KEY_BYTES || !PREFIX.test(prefix)) {
    throw new InvalidArgumentError(
      `${what} is the beginning of an object key (A-Z a-z 0-9 . _ = @ + - and '/', no empty, '.' ` +
        `or '..' segments); got ${describe(prefix)}`,
    )
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `${value.length} characters that aren't one` : typeof value
}
