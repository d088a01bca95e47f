// Fixed-width numbers at an offset, for headers that are written and read in place. The caller
// checks bounds: every use follows a check of the whole header's length.

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** `value` is an integer from 0 to 2^53 - 1. */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, value >>> 0)
  putU32(bytes, at + 4, Math.floor(value / 2 ** 32))
}

export function getU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

/** May exceed 2^53 - 1, rounded: callers compare it, or check that it is a safe integer. */
export function getU64(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + 4) * 2 ** 32 + getU32(bytes, at)
}
