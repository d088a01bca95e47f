import { type FirnError, isError, isFirnError } from '@firn/env'
import { CommanderError } from 'commander'
import { CommandError } from './errors.js'

/** Why a command failed, for people and programs. */
export interface Failure {
  /** Exit status: 1, or 2 for a wrong command line. */
  status: number
  code: string
  /** One line: what happened, where, what to do. */
  message: string
}

const AGAIN = 'fix the cause and run the command again'

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
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would become too large',
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) {
    return { status: error.status, code: error.code, message: oneLine(error.message) }
  }
  if (error instanceof CommanderError) {
    const message = oneLine(error.message.replace(/^error: /, ''))
    // A value that looks like an option may be meant as a value.
    const hint =
      error.code === 'commander.unknownOption'
        ? 'put a key or a value that begins with - after --, as in firn put -- <key> <value>; for options, see firn --help'
        : 'see firn --help'
    return { status: 2, code: 'FIRN_USAGE', message: `${message}; ${hint}` }
  }
  if (isFirnError(error)) {
    // The engine's arguments come from the command's, such as a table's name or a key that is too
    // long.
    const status = error.code === 'FIRN_INVALID_ARGUMENT' ? 2 : 1
    // Stopped writes report the commit that failed before: that failure is the one to fix.
    const stopped = error.code === 'FIRN_WRITE_STOPPED' && isFirnError(error.cause)
    return {
      status,
      code: error.code,
      message: hinted(stopped ? (error.cause as FirnError) : error),
    }
  }
  if (isSystemError(error)) {
    const what = SYSTEM_ERRORS[error.code]
    const where = error.path === undefined ? (error.syscall ?? 'the system') : error.path
    const message = what === undefined ? error.message : `${where}: ${what}`
    return { status: 1, code: error.code, message: oneLine(message) }
  }
  const message = isError(error) ? `${error.name}: ${error.message}` : String(error)
  return { status: 1, code: 'FIRN_UNEXPECTED', message: oneLine(message) }
}

/** Rewrites the engine's advice to programmers as advice for the command line. */
function hinted(error: FirnError): string {
  const message = inCommandWords(oneLine(error.message))
  switch (error.code) {
    case 'FIRN_VERSION_NOT_FOUND':
      return `${message}; \`firn log\` lists the versions`
    case 'FIRN_LOCKED':
      return `${message}; commands that only read still work`
    case 'FIRN_CORRUPTION':
      return `${message}; \`firn verify\` lists all damage`
    case 'FIRN_COMMIT_UNKNOWN':
      return `${message}; before you try again, check whether \`firn log\` lists its token`
    default:
      return message
  }
}

/** Advice of the engine, and its replacement on the command line. */
const COMMAND_WORDS: readonly (readonly [advice: RegExp, words: string])[] = [
  [/,? (?:or|and) open it here with mode 'read'/, ''],
  [/,? or open with createIfMissing/, ''],
  [/ or, with parts of your own, \{ store, log \}/, ''],
  [/reads go on; close the database, mend the cause and open it again/, AGAIN],
  [/, or use os\.homedir\(\)/, ''],
  [/then reopen the database/, 'then run the command again'],
  [
    /leave the option out, or use another table/,
    'leave out --keys and --values, or name another --table',
  ],
  [
    /\{ durationMs \} or \{ versions \} \(positive integers\)/,
    '{"durationMs":…} or {"versions":…}',
  ],
]

/** Advice that only a program can follow: calls, options of calls, and properties of results. */
const FOR_PROGRAMS =
  /\b\w+\((?:\)|\{)|\bdb\.\w|\bresolveCommit\b|\bcreateIfMissing\b|\bmode:? '|\{ \w+(?:, \w+)* \}/

/** Returns the message without advice that can't be followed on the command line. */
export function inCommandWords(message: string): string {
  let words = message
  for (const [advice, instead] of COMMAND_WORDS) words = words.replace(advice, instead)
  const [what = '', ...advice] = words.split('; ')
  return [what, ...advice.filter((clause) => !FOR_PROGRAMS.test(clause))].join('; ')
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return (
    isError(error) &&
    typeof (error as NodeJS.ErrnoException).code === 'string' &&
    (error as NodeJS.ErrnoException).syscall !== undefined
  )
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}
