import { InvalidArgumentError } from '@firn/env'

/**
 * Throws `InvalidArgumentError` unless options are an object with known members only: a misspelt
 * option would be ignored otherwise, and the call would do something else than the caller asked
 * for. `what` names the owner of the options in messages. Takes 10 to 20 ns.
 */
export function assertMembers(
  what: string,
  options: unknown,
  known: ReadonlySet<string>,
): asserts options is object {
  if (!isRecord(options)) {
    throw new InvalidArgumentError(
      `the options of ${what} must be an object with any of ${listOf(known)}; got ${typeName(options)}`,
    )
  }
  for (const name in options) {
    // A program may have given every object a member.
    if (known.has(name) || name in Object.prototype) continue
    const near = nearestOf(name, known)
    throw new InvalidArgumentError(
      `${what} has no option ${JSON.stringify(name)}${near === undefined ? '' : ` (did you mean ${JSON.stringify(near)}?)`}; it has ${listOf(known)}`,
    )
  }
}

/** Throws `InvalidArgumentError` if options are given to a call that has none. */
export function assertNone(what: string, options: unknown, instead = ''): void {
  if (options === undefined) return
  throw new InvalidArgumentError(`${what} takes no options${instead}; got ${typeName(options)}`)
}

/** Throws `InvalidArgumentError` unless a value is `undefined` or an allowed one. */
export function assertOneOf<T extends string>(
  name: string,
  value: unknown,
  allowed: readonly T[],
): asserts value is T | undefined {
  if (value === undefined || (allowed as readonly unknown[]).includes(value)) return
  const quoted = allowed.map((each) => `'${each}'`)
  const last = quoted.pop()
  const list = quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
  throw new InvalidArgumentError(`${name} must be ${list}, got ${shown(value)}`)
}

/** Throws `InvalidArgumentError` unless a value is `undefined`, true or false. */
export function assertBoolean(name: string, value: unknown): asserts value is boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return
  throw new InvalidArgumentError(`${name} must be true or false, got ${shown(value)}`)
}

/** Throws `InvalidArgumentError` unless a value is `undefined` or a whole number within bounds. */
export function assertCount(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): asserts value is number | undefined {
  if (value === undefined) return
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return
  const upTo = most === Number.MAX_SAFE_INTEGER ? 'on' : `to ${most}`
  throw new InvalidArgumentError(
    `${name} must be a whole number from ${least} ${upTo}, got ${shown(value)}`,
  )
}

/** Throws `InvalidArgumentError` unless a value is `undefined` or a function. */
export function assertFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  throw new InvalidArgumentError(`${name} must be a function, got ${shown(value)}`)
}

/**
 * Throws `InvalidArgumentError` unless a value is `undefined` or an `AbortSignal`, of any realm.
 */
export function assertSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return
  const { aborted, addEventListener, throwIfAborted } = (signal ?? {}) as Partial<AbortSignal>
  if (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof throwIfAborted === 'function'
  ) {
    return
  }
  throw new InvalidArgumentError(
    `signal must be an AbortSignal, as controller.signal of an AbortController; got ${shown(signal)}`,
  )
}

/**
 * Formats the value of an option for messages: its type, and the value itself if it is short and
 * plain. For what may be a key or a value, use `typeName` instead.
 */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value)
    case 'number':
    case 'boolean':
      return String(value)
    case 'bigint':
      return `${value}n`
    default:
      return typeName(value)
  }
}

/** Returns the type of a value, in words. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') {
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name !== 'Object' && name !== '' ? name : 'an object'
  }
  return value === undefined ? 'undefined' : `a ${typeof value}`
}

/**
 * True for objects that hold members, of any class and realm; false for built-in objects of the
 * language.
 */
function isRecord(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  // A Date, a Map, a Promise or an array holds no options: passing one is a mistake that would
  // otherwise be ignored.
  const tag = Object.prototype.toString.call(value)
  return tag === '[object Object]' || tag === '[object Module]'
}

function listOf(names: ReadonlySet<string>): string {
  return [...names].join(', ')
}

/** Returns the known name that a misspelt one most likely means. */
function nearestOf(name: string, known: ReadonlySet<string>): string | undefined {
  let nearest: string | undefined
  // Up to a third of the name may be wrong.
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), least)
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

/**
 * Counts the letters to add, remove, replace or exchange; returns `limit` for that many or more.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] as number) + 1)
      }
      next.push(least)
    }
    before = row
    row = next
  }
  return Math.min(limit, row[b.length] as number)
}
