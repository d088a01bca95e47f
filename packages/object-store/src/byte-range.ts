import { InvalidArgumentError } from '@firn/env'
import type { ByteRange } from './object-store.js'

/** Bounds of a range in an object of a known size: `0 <= start <= end <= size`. */
export interface ResolvedRange {
  start: number
  end: number
}

/** Throws `InvalidArgumentError` for bounds that aren't integers or are in the wrong order. */
export function assertRange(range: ByteRange): void {
  const { start, end } = range
  if (!Number.isSafeInteger(start)) {
    throw new InvalidArgumentError(`range.start must be an integer, got ${String(start)}`)
  }
  if (end === undefined) return
  if (!Number.isSafeInteger(end) || end < 0) {
    throw new InvalidArgumentError(`range.end must be an integer from 0, got ${String(end)}`)
  }
  if (start >= 0 && end < start) {
    throw new InvalidArgumentError(`range.end (${end}) is before range.start (${start})`)
  }
}

/**
 * Resolves a range in an object of `size` bytes. A start past the end yields an empty range at the
 * end of the object; a negative start that resolves to a place past `end` yields an empty range.
 */
export function resolveRange(range: ByteRange | undefined, size: number): ResolvedRange {
  if (range === undefined) return { start: 0, end: size }
  const start = range.start < 0 ? Math.max(0, size + range.start) : Math.min(range.start, size)
  const end = range.end === undefined ? size : Math.min(range.end, size)
  return { start, end: Math.max(start, end) }
}
