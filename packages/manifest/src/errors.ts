import { FirnError } from '@firn/env'

/** No database exists at this location. */
export class DatabaseNotFoundError extends FirnError {
  constructor(message: string) {
    super('FIRN_DATABASE_NOT_FOUND', message, { maybeDone: false })
  }
}
