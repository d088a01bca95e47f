import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
} from '@firn/commit-log'

/** A log that keeps what is appended to it, by token, for use after a truncation. */
export class RecordedLog implements CommitLog {
  readonly exclusive: boolean
  readonly inlineLimitBytes: number
  readonly #log: CommitLog
  readonly #payloads: Map<string, Uint8Array>

  constructor(log: CommitLog, payloads: Map<string, Uint8Array>) {
    this.exclusive = log.exclusive
    this.inlineLimitBytes = log.inlineLimitBytes
    this.#log = log
    this.#payloads = payloads
  }

  readAfter(version: number, options?: ReadLogOptions): AsyncIterable<LogEntry> {
    return this.#log.readAfter(version, options)
  }

  append(entry: NewLogEntry, options?: LogCallOptions): Promise<AppendResult> {
    this.#payloads.set(entry.token, entry.payload.slice())
    return this.#log.append(entry, options)
  }

  async sync(): Promise<void> {
    await this.#log.sync?.()
  }

  get pendingBytes(): number {
    return this.#log.pendingBytes ?? 0
  }

  writeOut(options: { durable: boolean }): void {
    this.#log.writeOut?.(options)
  }

  truncate(through: number, options?: LogCallOptions): Promise<void> {
    return this.#log.truncate(through, options)
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}
