import type { TupleValue } from '../src/index.js'

// A second implementation of the order of tuples, by their values alone.

function rank(value: TupleValue): number {
  if (value === null) return 0
  if (value === false) return 1
  if (value === true) return 2
  if (typeof value === 'number') return 3
  if (typeof value === 'bigint') return 4
  if (value instanceof Date) return 5
  if (typeof value === 'string') return 6
  return value instanceof Uint8Array ? 7 : 8
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0)
}

function compareValues(a: TupleValue, b: TupleValue): number {
  const ranks = rank(a) - rank(b)
  if (ranks !== 0) return Math.sign(ranks)
  if (typeof a === 'string' && typeof b === 'string') {
    return compareTuples(codePoints(a), codePoints(b))
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareTuples([...a], [...b])
  if (Array.isArray(a) && Array.isArray(b)) return compareTuples(a, b)
  if (a === null || b === null) return 0
  return a < b ? -1 : a > b ? 1 : 0
}

/** Returns -1, 0 or 1 if tuple `a` comes before, equals or comes after `b`. */
export function compareTuples(a: readonly TupleValue[], b: readonly TupleValue[]): number {
  for (const [i, value] of a.entries()) {
    const other = b[i]
    if (other === undefined) return 1
    const order = compareValues(value, other)
    if (order !== 0) return order
  }
  return a.length < b.length ? -1 : 0
}
