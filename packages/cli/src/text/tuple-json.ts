import { fromBase64, type TupleValue, toBase64 } from '@firn/bytes'
import { InvalidArgumentError, isDate, isUint8Array } from '@firn/env'

/** How deep keys may nest, by @firn/bytes' FORMAT.md. */
const MAX_DEPTH = 64

/**
 * Converts a tuple to a JSON array. Types that JSON lacks become objects of one member, which no
 * tuple element can be: `{"bigint":"1"}`, `{"date":"2026-01-01T00:00:00.000Z"}`,
 * `{"base64":"AP8="}` and `{"number":"Infinity"}`.
 */
export function tupleToJson(values: readonly TupleValue[]): unknown[] {
  return values.map(elementToJson)
}

/** Converts a JSON array to a tuple. Throws `InvalidArgumentError` if it isn't the form of one. */
export function tupleFromJson(json: unknown): TupleValue[] {
  if (!Array.isArray(json)) {
    throw new InvalidArgumentError('a tuple is written as a JSON array, like ["user",42]')
  }
  return elementsFromJson(json, 0)
}

function elementsFromJson(json: readonly unknown[], depth: number): TupleValue[] {
  // JSON may nest as deep as its text is long, and the stack is shorter.
  if (depth > MAX_DEPTH) {
    throw new InvalidArgumentError(`a tuple nests at most ${MAX_DEPTH} arrays deep`)
  }
  return json.map((element) => elementFromJson(element, depth))
}

function elementToJson(value: TupleValue): unknown {
  if (Array.isArray(value)) return tupleToJson(value)
  if (typeof value === 'bigint') return { bigint: value.toString() }
  if (isDate(value)) return { date: value.toISOString() }
  if (isUint8Array(value)) return { base64: toBase64(value) }
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
  return value
}

function elementFromJson(json: unknown, depth: number): TupleValue {
  if (Array.isArray(json)) return elementsFromJson(json, depth + 1)
  if (typeof json === 'object' && json !== null) return taggedFromJson(json)
  if (typeof json === 'number' && Number.isInteger(json) && !Number.isSafeInteger(json)) {
    throw new InvalidArgumentError(
      'an integer beyond 2^53 would lose digits as a number; write {"bigint":"…"} or a string',
    )
  }
  return json as string | number | boolean | null
}

function taggedFromJson(json: object): TupleValue {
  const [member, ...others] = Object.entries(json) as [string, unknown][]
  if (member !== undefined && others.length === 0 && typeof member[1] === 'string') {
    const [type, text] = member
    if (type === 'base64') return fromBase64(text as string)
    if (type === 'bigint' && /^-?\d+$/.test(text as string)) return BigInt(text as string)
    if (type === 'number' && /^-?Infinity$/.test(text as string)) return Number(text)
    if (type === 'date') {
      const date = dateOf(text as string)
      if (date !== undefined) return date
    }
  }
  throw new InvalidArgumentError(
    'an object in a tuple must be {"bigint":"…"}, {"date":"…"}, {"base64":"…"} or {"number":"Infinity"}; a date must exist in the calendar, like 2026-01-01 or 2026-01-01T00:00:00.000Z, down to milliseconds',
  )
}

const DATE =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})0*)?)?(?:Z|([+-])(\d\d):?(\d\d)))?$/

/**
 * Parses an ISO 8601 date. Returns `undefined` for a time without a zone, which isn't the same
 * everywhere, for a date that `Date` can't hold, and for one that `Date.parse` would take for
 * another day, such as February 30.
 */
function dateOf(text: string): Date | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00'] = match
  const [fraction = '', sign = '+', zoneHour = '0', zoneMinute = '0'] = match.slice(7)
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0')}Z`
  const ms = Date.parse(local)
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== canonicalYear(local)) return undefined
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined
  const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000
  const date = new Date(sign === '-' ? ms + zoneMs : ms - zoneMs)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** Writes a year of six digits with four if it has no more. */
function canonicalYear(iso: string): string {
  return iso.replace(/^\+00(?=\d{4}-)/, '')
}
