import { skipValue, stringEnd } from './json-text.js'

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
const SMALL_INTEGER = /^(?:0|-?[1-9]\d{0,14})$/

/**
 * Whether a JSON number comes back from a double as it went in: as the same decimal number, however
 * written. `1.0` and `1e0` do, as 1, and so does `0.1`. `0.30000000000000001` (which would come
 * back as 0.3), `1e400` and `-0` don't.
 */
export function isExactNumber(source: string): boolean {
  if (SMALL_INTEGER.test(source)) return true
  const number = Number(source)
  if (!Number.isFinite(number) || Object.is(number, -0)) return false
  return decimalOf(source) === decimalOf(String(number))
}

/**
 * Says why a key or a tuple would come back different from this valid JSON: for a number that a
 * double can't hold, or an object with a member that occurs twice. The caller puts the subject
 * before it. Returns `undefined` if it comes back as it is.
 */
export function whyInexact(json: string): string | undefined {
  let objects = 0
  let members = 0
  for (let at = 0; at < json.length; at++) {
    const character = json[at] as string
    if (character === '"') at = stringEnd(json, at)
    else if (character === '{') objects++
    else if (character === ':') members++
    else if (character === '-' || (character >= '0' && character <= '9')) {
      const end = skipValue(json, at)
      if (!isExactNumber(json.slice(at, end))) return INEXACT
      at = end - 1
    }
  }
  // An object in a tuple stands for one value, and has one member.
  return members > objects ? ' holds an object with a member that occurs twice' : undefined
}

const INEXACT =
  ' holds a number that would come back as another one: it has too many digits for a double (such as an integer beyond 2^53), is too large, or is minus zero; write it as a string'

/**
 * Returns one text per decimal number: its digits without zeros at the ends, and a power of ten.
 */
function decimalOf(text: string): string | undefined {
  const match = NUMBER.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  let start = 0
  let end = digits.length
  while (digits[start] === '0') start++
  while (end > start && digits[end - 1] === '0') end--
  if (start === end) return '0'
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}
