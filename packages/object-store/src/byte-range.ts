import { InvalidArgumentError } from '@firn/env'
import type { ByteRange } from './object-store.js'

/** Where a range begins and ends in an object of a known size: `0 <= start <= end <= size`. */
export interface ResolvedRange {
  start: number
  end: number
}

/**
 * Throws `InvalidArgumentError` for bounds that aren't whole numbers or are the wrong way round.
 */
export function assertRange(range: ByteRange): void {
  const { start, end } = range
  if (!Number.isSafeInteger(start)) {
    throw new InvalidArgumentError(`range.start is a whole number, got ${String(start)}`)
  }
  if (end === undefined) return
  if (!Number.isSafeInteger(end) || end < 0) {
    throw new InvalidArgumentError(`range.end is a whole number, 0 or more, got ${String(end)}`)
  }
  if (start >= 0 && end < start) {
    throw new InvalidArgumentError(`range.end (${end}) is before range.start (${start})`)
  }
}

/**
 * The part of an object of `size` bytes that a range means. A start past the end means nothing,
 * at the end; so does a negative start whose place lies past `end`.
 */
export function resolveRange(range: ByteRange | undefined, size: number): ResolvedRange {
  if (range === undefined) return { start: 0, end: size }
  const start = range.start < 0 ? Math.max(0, size + range.start) : Math.min(range.start, size)
  const end = range.end === undefined ? size : Math.min(range.end, size)
  return { start, end: Math.max(start, end) }
}
