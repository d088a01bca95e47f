import type { Moment } from '@firn/engine'
import type { Env } from '@firn/env'
import { MAX_TIMESTAMP } from '@firn/mvcc'
import { UsageError } from './errors.js'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const AGO = /^(\d{1,9})([smhd])$/
const TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/i

export const MOMENT_HELP =
  'a version (42), a time (2026-05-01T12:30:00Z; your own time zone if it names none) or an age (90s, 15m, 2h, 3d)'

/** Parses the value of `--at`. Throws `UsageError` if it names no moment. */
export function parseMoment(text: string, clock: Env): Moment {
  if (/^\d+$/.test(text)) {
    const version = Number(text)
    if (Number.isSafeInteger(version)) return { version }
  }
  const ago = AGO.exec(text)
  if (ago !== null) {
    const micros = Number(ago[1]) * (SECONDS[ago[2] ?? ''] ?? 0) * 1_000_000
    return { timestamp: within(clock.now() - micros) }
  }
  const timestamp = timestampOf(text)
  if (timestamp !== undefined) return { timestamp: within(timestamp) }
  throw new UsageError(`--at ${JSON.stringify(text)} names no moment; use ${MOMENT_HELP}`)
}

/**
 * Limits a timestamp to the range of all timestamps: nothing exists before it, everything at its
 * end.
 */
function within(micros: number): number {
  return Math.min(Math.max(0, micros), MAX_TIMESTAMP)
}

/** Returns the microseconds of an ISO 8601 time; a date alone means its first moment. */
function timestampOf(text: string): number | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [, date = '', minutes = '00:00', seconds = '00', fraction = '', zone = ''] = match
  const wholeMs = Date.parse(`${date}T${minutes}:${seconds}${zone.toUpperCase()}`)
  // Date.parse reads February 30 as March 2.
  if (Number.isNaN(wholeMs) || !isCalendarDate(date)) return undefined
  return wholeMs * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'))
}

function isCalendarDate(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date)
}
