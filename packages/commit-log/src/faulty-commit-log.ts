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

/** What goes wrong with an append, as it would between a client and a service. */
export type AppendFault =
  /** It is applied; the answer gets lost. */
  | 'lost-reply'
  /** It never arrives. */
  | 'lost-request'
  /** No answer, and it is applied only when `deliverLate` is called. */
  | 'late'
  /** It arrives twice; the answer is that of the second. */
  | 'twice'
  /** It is refused because there is too much to do. */
  | 'throttled'

export type ReadFault = 'unreachable'

export interface FaultyCommitLogOptions {
  /** Asked before every append; `undefined` lets it pass. */
  append?: (entry: NewLogEntry) => AppendFault | undefined
  /** Asked before every read. */
  read?: (after: number) => ReadFault | undefined
}

/** A log in front of another one that loses, delays and doubles what passes through it. */
export class FaultyCommitLog implements CommitLog {
  readonly exclusive: boolean
  readonly inlineLimitBytes: number
  readonly #log: CommitLog
  readonly #options: FaultyCommitLogOptions
  #late: NewLogEntry[] = []
  /** Appends that reached this log, whatever became of them. */
  appends = 0
  /** Faults that were made. */
  faults = 0

  constructor(log: CommitLog, options: FaultyCommitLogOptions) {
    // An exclusive log whose answers are lost isn't one: nobody knows the next version.
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
        // The caller has its array back when this rejects.
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

  /** Lets the appends arrive that were held back, in their order; gives what became of them. */
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

/** What a client sees of a network: an error of no type of ours. */
class UnreachableError extends Error {
  readonly code = 'ECONNRESET'
}
