import { FirnError, type FirnErrorOptions } from '@firn/env'

/** A command that was understood and failed: exit status 1. */
export class CommandError extends FirnError {
  /** Exit status of the process. */
  readonly status: number

  constructor(code: string, message: string, options?: FirnErrorOptions & { status?: number }) {
    super(code, message, options)
    this.status = options?.status ?? 1
  }
}

/** A wrong command line: exit status 2. */
export class UsageError extends CommandError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_USAGE', message, { ...options, status: 2 })
  }
}
