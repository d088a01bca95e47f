import { FirnError } from '@firn/env'

/** There is no database at this place. */
export class DatabaseNotFoundError extends FirnError {
  constructor(message: string) {
    super('FIRN_DATABASE_NOT_FOUND', message, { maybeDone: false })
  }
}
