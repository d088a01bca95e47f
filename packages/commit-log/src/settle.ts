import {
  type Env,
  FirnError,
  InvalidArgumentError,
  isFirnError,
  linkedController,
  systemEnv,
} from '@firn/env'
import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
} from './commit-log.js'
import { AmbiguousAppendError, CommitUnknownError } from './errors.js'
import { entryAt } from './lookup.js'

export interface SettleOptions {
  env?: Env
  /**
   * How long to go on asking, in milliseconds; then what is under way is given up. Default 30,000.
   */
  deadlineMs?: number
  signal?: AbortSignal | undefined
}

const DEFAULT_DEADLINE_MS = 30_000
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 2_000

/**
 * Appends an entry and finds out whether it was appended, also where the log can't say.
 *
 * 1. Append. A certain answer is the answer; a winner with our token is our own entry, met again by
 *    a request that was delivered twice.
 * 2. No certain answer: read entry N back. Our token: appended. Another token: lost, for good, as
 *    entries are never deleted.
 * 3. The slot is empty: nothing is decided, as the request may still arrive. Append the same token
 *    at the same N again, so that whichever request arrives fills the slot with our entry or meets
 *    another's. Never a new token, never another N.
 * 4. The deadline passes, or the caller gives up, before the slot is filled: `CommitUnknownError`.
 *    What is under way then is not waited for: a log that has gone silent may never answer.
 *
 * Errors of the first attempt that leave no doubt (an argument, a closed or failed log, a full
 * disk, no permission, an abort before anything was sent) are thrown as they are. A
 * `CommitUnknownError` has as its cause what kept the last attempts from being certain.
 */
export async function appendSettled(
  log: CommitLog,
  entry: NewLogEntry,
  options: SettleOptions = {},
): Promise<AppendResult> {
  const { signal } = options
  const env = options.env ?? systemEnv
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS
  if (!(deadlineMs >= 0)) {
    throw new InvalidArgumentError(`deadlineMs is a number from 0, got ${deadlineMs}`)
  }
  signal?.throwIfAborted()

  const { controller: attempts, end } = linkedController(signal)
  const decided = new AbortController()
  env.sleep(deadlineMs, decided.signal, { background: true }).then(
    () => attempts.abort(new AmbiguousAppendError(entry, new SilentLogError(deadlineMs))),
    () => {},
  )
  try {
    return await settle(log, entry, env, attempts.signal)
  } finally {
    end()
    // With a reason: without one, Node makes an error and its stack for every commit.
    decided.abort('decided')
  }
}

async function settle(
  log: CommitLog,
  entry: NewLogEntry,
  env: Env,
  signal: AbortSignal,
): Promise<AppendResult> {
  let doubt: unknown
  /** Notes why there is no answer. What the log said says more than that the time is over. */
  const note = (error: unknown): void => {
    const isDeadline = error === signal.reason && isFirnError(error, 'FIRN_AMBIGUOUS_APPEND')
    if (doubt === undefined || !isDeadline) doubt = error
  }
  for (let attempt = 0; ; attempt++) {
    try {
      return settled(await log.append(entry, { signal }), entry.token)
    } catch (error) {
      if (!isFirnError(error, 'FIRN_AMBIGUOUS_APPEND')) {
        if (attempt === 0) throw error
        // An earlier attempt may still arrive: this error says nothing about that one.
        if (!isFirnError(error) || !error.retryable) throw new CommitUnknownError(entry, error)
      }
      note(error)
    }
    try {
      const found = await entryAt(log, entry.version, { signal })
      if (found !== undefined) return settled({ appended: false, winner: found }, entry.token)
    } catch (error) {
      note(error)
    }
    if (signal.aborted) throw new CommitUnknownError(entry, doubt)
    // Full jitter, so that writers who met the same trouble don't meet again.
    const pauseMs = env.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
    try {
      await env.sleep(pauseMs, signal)
    } catch (error) {
      note(error)
      throw new CommitUnknownError(entry, doubt)
    }
  }
}

/** No answer came, which is all that can be said. */
class SilentLogError extends FirnError {
  constructor(deadlineMs: number) {
    super('FIRN_LOG_SILENT', `the log gave no certain answer within ${deadlineMs} ms`, {
      retryable: true,
    })
  }
}

export type CommitResolution =
  /** The commit took effect. */
  | { outcome: 'committed'; entry: LogEntry }
  /** Another commit has its version: it didn't take effect and never will. */
  | { outcome: 'lost'; winner: LogEntry }
  /** Nothing has its version yet: it may still take effect, until anything is committed there. */
  | { outcome: 'unknown' }

/** What became of the commit of a `CommitUnknownError`, which carries its version and token. */
export async function resolveCommit(
  log: CommitLog,
  commit: { version: number; token: string },
  options: LogCallOptions = {},
): Promise<CommitResolution> {
  const entry = await entryAt(log, commit.version, options)
  if (entry === undefined) return { outcome: 'unknown' }
  return entry.token === commit.token
    ? { outcome: 'committed', entry }
    : { outcome: 'lost', winner: entry }
}

function settled(result: AppendResult, token: string): AppendResult {
  if (!result.appended && result.winner.token === token) return { appended: true }
  return result
}
