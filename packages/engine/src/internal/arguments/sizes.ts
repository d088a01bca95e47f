import { InvalidArgumentError } from '@firn/env'

/** Longest key, in bytes as stored without its table prefix. */
const MAX_KEY_BYTES = 65_531
/** Largest value, in bytes as stored. */
const MAX_VALUE_BYTES: number = 256 * 1024 * 1024

/** Throws `InvalidArgumentError` for a key that is too long. */
export function assertKey(key: Uint8Array): void {
  if (key.length > MAX_KEY_BYTES) {
    throw new InvalidArgumentError(
      `a key may have up to ${MAX_KEY_BYTES} bytes, this one has ${key.length}`,
    )
  }
}

/** Throws `InvalidArgumentError` for a value that is too large. */
export function assertValue(value: Uint8Array): void {
  if (value.length > MAX_VALUE_BYTES) {
    throw new InvalidArgumentError(
      `a value may have up to ${MAX_VALUE_BYTES} bytes, this one has ${value.length}; split it over several keys`,
    )
  }
}
