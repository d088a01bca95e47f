import type { Random } from '../random.js'

/** A decoder to fuzz: its inputs, and how its answers are judged. */
export interface FuzzTarget {
  readonly name: string
  /** Inputs that the real encoder makes: the decoder must accept every one of them. */
  corpus(random: Random): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /**
   * Corrects the checksums of a changed input in place, if its form can still be recognized, so
   * that the code behind them is reached.
   */
  seal?(bytes: Uint8Array): void
  /** Words that mean something in the format, if the format is text. */
  readonly words?: readonly string[]
  /**
   * Decodes an input. If the decoder returns a value, it is encoded again and compared; a
   * difference is thrown as `Unsound`. A refusal is the decoder's own error.
   */
  decode(bytes: Uint8Array): void | Promise<void>
  /** Codes of the errors that refuse an input. Default: corruption, and future formats. */
  readonly refusals?: readonly string[]
}

/** The decoder returned a value that it shouldn't have returned. */
class Unsound extends Error {
  override readonly name = 'Unsound'
}

export function assertSound(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Unsound(problem)
}

/** Asserts that two values of plain data, arrays, maps and bytes are equal. */
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
  // A missing member and an `undefined` one are the same to every reader.
  const entries = (value: object): [string, unknown][] =>
    Object.entries(value).filter(([, member]) => member !== undefined)
  const [left, right] = [entries(a), entries(b)]
  return (
    left.length === right.length &&
    left.every(([name, member]) => Object.hasOwn(b, name) && same(member, Reflect.get(b, name)))
  )
}
