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
   * How long to keep trying, in milliseconds; after that, requests under way are given up. Default
   * 30,000.
   */
  deadlineMs?: number
  signal?: AbortSignal | undefined
}

const DEFAULT_DEADLINE_MS = 30_000
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 2_000

/**
 * Appends an entry and finds out whether it was appended, even if the log can't say.
 *
 * 1. Append. A certain answer is the answer. A winner with our token is our own entry: the request
 *    was delivered twice.
 * 2. If the answer isn't certain, read entry N back. Our token: appended. Another token: lost for
 *    good, as entries are never deleted.
 * 3. If the slot is empty, nothing is decided: the request may still arrive. Append the same token
 *    at the same N again, so that whichever request arrives fills the slot with our entry or meets
 *    another's. Never use a new token or another N.
 * 4. If the deadline passes, or the caller gives up, before the slot is filled:
 *    `CommitUnknownError`. Requests under way are not waited for: a log that has gone silent may
 *    never answer.
 *
 * Errors of the first attempt that leave no doubt (an invalid argument, a closed or failed log, a
 * full disk, no permission, an abort before anything was sent) are thrown as they are. The cause of
 * a `CommitUnknownError` is what kept the last attempts from being certain.
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
  /** Notes why there is no answer. The log's own error says more than a passed deadline. */
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
    // Full jitter keeps writers that failed together from retrying together.
    const pauseMs = env.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
    try {
      await env.sleep(pauseMs, signal)
    } catch (error) {
      note(error)
      throw new CommitUnknownError(entry, doubt)
    }
  }
}

/** The log didn't answer at all. */
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
  /** No commit has its version yet: it may still take effect, until one is made there. */
  | { outcome: 'unknown' }

/** Finds out what became of a commit, by the version and token of its `CommitUnknownError`. */
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
