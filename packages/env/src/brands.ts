// Every realm (a `vm` context, a test runner's sandbox, a frame) has classes of its own, so
// `instanceof` says no to values that are what they look like. These ask for what a value is, and
// ask `instanceof` first: it is true for nearly all callers, and takes a few nanoseconds.

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined

const { getTime } = Date.prototype
const tagOf = Object.prototype.toString

/** True for a `Uint8Array` of any realm, a `Buffer` included; false for every other view. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || typedArrayTag.call(value) === 'Uint8Array'
}

/** True for a `Date` of any realm, a valid one or not. */
export function isDate(value: unknown): value is Date {
  if (value instanceof Date) return true
  if (tagOf.call(value) !== '[object Date]') return false
  try {
    getTime.call(value as Date)
    return true
  } catch {
    // It only claims to be one.
    return false
  }
}

/** True for an error of any realm, a `DOMException` included. */
export function isError(value: unknown): value is Error {
  if (value instanceof Error) return true
  const tag = tagOf.call(value)
  return tag === '[object Error]' || tag === '[object DOMException]'
}

/** The message of an error of any realm; anything else that was thrown, as text. */
export function messageOf(error: unknown): string {
  return isError(error) ? error.message : String(error)
}
