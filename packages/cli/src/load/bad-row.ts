import { isFirnError } from '@firn/env'
import { inCommandWords } from '../failure.js'
import { formatBytes } from '../text/quantities.js'
import type { Line } from './lines.js'

/** A row that can't be loaded. The message never contains data of the row. */
export class BadRowError extends Error {
  constructor(problem: string) {
    super(problem)
    this.name = 'BadRowError'
  }
}

/** Returns what is wrong with a row; `undefined` if the error has another cause. */
export function problemOf(error: unknown): string | undefined {
  if (error instanceof BadRowError) return error.message
  // Keys that are too long, lone surrogates and invalid table names are faults of the row.
  return isFirnError(error, 'FIRN_INVALID_ARGUMENT') ? inCommandWords(error.message) : undefined
}

/** Describes a line whose byte `at` belongs to no UTF-8 character. */
export function notUtf8({ number, offset }: Line, at: number): string {
  const where = offset === undefined ? '' : ` (line ${number}, byte offset ${offset + at})`
  return `not UTF-8 text${where}; if it is Latin-1, \`iconv -f LATIN1 -t UTF-8\` converts the file`
}

export function tooLong(maxBytes: number): string {
  return `longer than ${formatBytes(maxBytes)}, the limit for a record; raise it with --max-record`
}
