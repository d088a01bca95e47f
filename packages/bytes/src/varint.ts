/** The most bytes that a varint takes: with seven bits in each, eight hold 2^53 - 1. */
export const MAX_VARINT_BYTES = 8

/** Length of `value` as a varint, in bytes: 1 to 8. `value` is an integer in [0, 2^53 - 1]. */
export function varintLength(value: number): number {
  let length = 1
  for (let limit = 0x80; value >= limit && length < MAX_VARINT_BYTES; limit *= 0x80) length++
  return length
}
