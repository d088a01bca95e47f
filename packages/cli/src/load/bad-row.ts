import { isFirnError } from '@firn/env'
import { inCommandWords } from '../failure.js'

/** A row that can't be loaded. The message never holds what the row does. */
export class BadRowError extends Error {
  constructor(problem: string) {
    super(problem)
    this.name = 'BadRowError'
  }
}

/** What is wrong with a row; `undefined` for an error that has another reason. */
export function problemOf(error: unknown): string | undefined {
  if (error instanceof BadRowError) return error.message
  // Keys that are too long, lone surrogates, table names that aren't any: the row's fault.
  return isFirnError(error, 'FIRN_INVALID_ARGUMENT') ? inCommandWords(error.message) : undefined
}
