import type { Random } from '../random.js'

/** A decoder to be fuzzed: what it is fed with, and how its answer is judged. */
export interface FuzzTarget {
  readonly name: string
  /** Inputs that the real encoder makes: the decoder takes every one of them. */
  corpus(random: Random): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /**
   * Makes the checksums of a changed input right again, in place, as far as its form is still
   * known: so that what lies behind them is reached.
   */
  seal?(bytes: Uint8Array): void
  /** Words that mean something in the format, for formats that are text. */
  readonly words?: readonly string[]
  /**
   * Decodes an input. Where the decoder gives a value, it is compared with what encoding it again
   * gives: what doesn't hold is thrown as `Unsound`. Refusals are the decoder's own errors.
   */
  decode(bytes: Uint8Array): void | Promise<void>
  /** Codes of the errors that refuse an input. Default: corruption, and formats of the future. */
  readonly refusals?: readonly string[]
}

/** The decoder gave a value that it shouldn't have given. */
class Unsound extends Error {
  override readonly name = 'Unsound'
}

export function assertSound(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Unsound(problem)
}

/** Two values of plain data, arrays, maps and bytes are the same. */
export function assertSame(actual: unknown, expected: unknown, what: string): void {
  assertSound(same(actual, expected), `${what}: encoding it and decoding it gives something else`)
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, i) => byte === b[i])
  }
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  if (a instanceof Map && b instanceof Map) {
    return (
      a.size === b.size && [...a].every(([key, value]) => b.has(key) && same(value, b.get(key)))
    )
  }
  // What is `undefined` and what is absent are the same to every reader.
  const entries = (value: object): [string, unknown][] =>
    Object.entries(value).filter(([, member]) => member !== undefined)
  const [left, right] = [entries(a), entries(b)]
  return (
    left.length === right.length &&
    left.every(([name, member]) => Object.hasOwn(b, name) && same(member, Reflect.get(b, name)))
  )
}
