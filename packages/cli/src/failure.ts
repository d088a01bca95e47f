import { type FirnError, isFirnError } from '@firn/env'
import { CommanderError } from 'commander'
import { CommandError } from './errors.js'

/** Why a command failed, for people and programs. */
export interface Failure {
  /** Exit status: 1, or 2 for a wrong command line. */
  status: number
  code: string
  /** One line: what, where, what next. */
  message: string
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space is left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
  EIO: 'the device failed to read or write',
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) {
    return { status: error.status, code: error.code, message: oneLine(error.message) }
  }
  if (error instanceof CommanderError) {
    const message = oneLine(error.message.replace(/^error: /, ''))
    return { status: 2, code: 'FIRN_USAGE', message: `${message}; see firn --help` }
  }
  if (isFirnError(error)) {
    // Arguments of the engine come from those of the command: a table's name, a key that is too long.
    const status = error.code === 'FIRN_INVALID_ARGUMENT' ? 2 : 1
    return { status, code: error.code, message: hinted(error) }
  }
  if (isSystemError(error)) {
    const what = SYSTEM_ERRORS[error.code]
    const where = error.path === undefined ? (error.syscall ?? 'the system') : error.path
    const message = what === undefined ? error.message : `${where}: ${what}`
    return { status: 1, code: error.code, message: oneLine(message) }
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { status: 1, code: 'FIRN_UNEXPECTED', message: oneLine(message) }
}

/** The engine advises programmers; on the command line other words help. */
function hinted(error: FirnError): string {
  const message = oneLine(error.message)
  switch (error.code) {
    case 'FIRN_VERSION_NOT_FOUND':
      return `${message.split(';')[0]}; \`firn log\` lists them`
    case 'FIRN_LOCKED':
      return `${message}; commands that only read work meanwhile`
    case 'FIRN_CORRUPTION':
      return `${message}; \`firn verify\` lists all that is damaged`
    default:
      return message
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return (
    error instanceof Error &&
    typeof (error as NodeJS.ErrnoException).code === 'string' &&
    (error as NodeJS.ErrnoException).syscall !== undefined
  )
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}
