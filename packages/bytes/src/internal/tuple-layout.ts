// The first byte of each element, in the order of the types. Persisted, so they never change; the
// gaps are for future types. FORMAT.md draws what follows each.
export const TAG_NULL = 0x02
export const TAG_FALSE = 0x04
export const TAG_TRUE = 0x05
export const TAG_NUMBER = 0x10
export const TAG_BIGINT = 0x18
export const TAG_DATE = 0x20
export const TAG_STRING = 0x28
export const TAG_BYTES = 0x30
export const TAG_TUPLE = 0x38

/** Ends a string, a byte array or a nested tuple. Below every tag and every byte of content. */
export const END = 0x00
/** Precedes a content byte of 0x00 or 0x01, which is written one higher. */
export const ESCAPE = 0x01

/** Head byte of the bigint zero. Positives add their number of bytes to it, negatives subtract. */
export const BIGINT_ZERO = 0x80
/** The most magnitude bytes that the head can count; for more, a u32 count follows it. */
export const BIGINT_SHORT_BYTES = 0x7e

/** The deepest nesting of tuples. */
export const MAX_DEPTH = 64

/** The largest time that a Date holds, in milliseconds before or after the epoch. */
export const MAX_DATE_MS = 8.64e15
