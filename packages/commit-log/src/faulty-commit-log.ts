import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
  TruncateOptions,
} from './commit-log.js'
import { AmbiguousAppendError } from './errors.js'

/** Faults of an append, as they happen between a client and a service. */
export type AppendFault =
  /** Applied; the reply is lost. */
  | 'lost-reply'
  /** Never arrives. */
  | 'lost-request'
  /** No reply; applied only when `deliverLate` is called. */
  | 'late'
  /** Arrives twice; the reply is the second one's. */
  | 'twice'
  /** Refused because the service is overloaded. */
  | 'throttled'

export type ReadFault = 'unreachable'

export interface FaultyCommitLogOptions {
  /** Called before every append; `undefined` lets it pass. */
  append?: (entry: NewLogEntry) => AppendFault | undefined
  /** Called before every read. */
  read?: (after: number) => ReadFault | undefined
}

/** A log that loses, delays and doubles the calls it passes on to another log. */
export class FaultyCommitLog implements CommitLog {
  readonly exclusive: boolean
  readonly inlineLimitBytes: number
  readonly #log: CommitLog
  readonly #options: FaultyCommitLogOptions
  #late: NewLogEntry[] = []
  /** Appends that reached this log, whatever their outcome. */
  appends = 0
  /** Faults injected. */
  faults = 0

  constructor(log: CommitLog, options: FaultyCommitLogOptions) {
    // A log that loses replies can't be exclusive: its caller doesn't know the next version.
    this.exclusive = false
    this.inlineLimitBytes = log.inlineLimitBytes
    this.#log = log
    this.#options = options
  }

  async *readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    const fault = this.#options.read?.(version)
    if (fault !== undefined) {
      this.faults++
      throw new UnreachableError(`the log is unreachable: reading after ${version}`)
    }
    yield* this.#log.readAfter(version, options)
  }

  async append(entry: NewLogEntry, options: LogCallOptions = {}): Promise<AppendResult> {
    this.appends++
    const fault = this.#options.append?.(entry)
    if (fault === undefined) return this.#log.append(entry, options)
    this.faults++
    switch (fault) {
      case 'lost-reply':
        await this.#log.append(entry, options)
        break
      case 'late':
        // The caller may reuse its array once this rejects.
        this.#late.push({ ...entry, payload: entry.payload.slice() })
        break
      case 'twice':
        await this.#log.append(entry, options)
        return this.#log.append(entry, options)
      case 'lost-request':
      case 'throttled':
        break
    }
    throw new AmbiguousAppendError(entry, new UnreachableError(`injected: ${fault}`))
  }

  /** Delivers the appends that were held back, in order; returns their results. */
  async deliverLate(): Promise<AppendResult[]> {
    const late = this.#late
    this.#late = []
    const results: AppendResult[] = []
    for (const entry of late) results.push(await this.#log.append(entry))
    return results
  }

  truncate(through: number, options: TruncateOptions = {}): Promise<void> {
    return this.#log.truncate(through, options)
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}

/** A network error as a client sees it: not one of Firn's types. */
class UnreachableError extends Error {
  readonly code = 'ECONNRESET'
}
