import type { AppendResult, CommitLog, LogEntry, NewLogEntry } from '@firn/commit-log'

/** A log that fails its appends and syncs from a moment on, as a full or dying disk does. */
export class FailingLog implements CommitLog {
  readonly exclusive = true
  readonly inlineLimitBytes: number
  readonly #log: CommitLog
  failure: Error | undefined

  constructor(log: CommitLog) {
    this.#log = log
    this.inlineLimitBytes = log.inlineLimitBytes
  }

  readAfter(version: number): AsyncIterable<LogEntry> {
    return this.#log.readAfter(version)
  }

  async append(entry: NewLogEntry): Promise<AppendResult> {
    if (this.failure !== undefined) throw this.failure
    return this.#log.append(entry)
  }

  async sync(): Promise<void> {
    if (this.failure !== undefined) throw this.failure
  }

  truncate(through: number): Promise<void> {
    return this.#log.truncate(through)
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}
