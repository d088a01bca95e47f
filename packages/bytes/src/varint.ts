/** The most bytes that a varint takes: seven bits in each hold 2^53 - 1 in eight. */
export const MAX_VARINT_BYTES = 8

/** How many bytes the varint of `value` takes: 1 to 8. `value` is an integer in [0, 2^53 - 1]. */
export function varintLength(value: number): number {
  let length = 1
  for (let limit = 0x80; value >= limit && length < MAX_VARINT_BYTES; limit *= 0x80) length++
  return length
}
