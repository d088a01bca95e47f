import {
  type AppendResult,
  assertNewEntry,
  type CommitLog,
  type LogCallOptions,
  type LogEntry,
  MemoryCommitLog,
  MemoryLogStorage,
  type NewLogEntry,
  type ReadLogOptions,
} from '@firn/manifest'
import type { Life } from './sim-process.js'

/** Entries of a log of one process's own, also those whose payloads were truncated since. */
export class EmbeddedLogStorage extends MemoryLogStorage {
  readonly #payloads: Map<number, Uint8Array> = new Map()

  keep(version: number, payload: Uint8Array): void {
    if (!this.#payloads.has(version)) this.#payloads.set(version, payload.slice())
  }

  /** All entries, as they were appended. */
  everAppended(): LogEntry[] {
    return this.entries.map((entry) => ({ ...entry, payload: this.#payloads.get(entry.version) }))
  }
}

/**
 * The log of an embedded database: `MemoryCommitLog`, with the time that a disk takes. Appends are done
 * in their order; those that weren't when the process crashed are lost.
 */
export class EmbeddedLog implements CommitLog {
  readonly exclusive: boolean = true
  readonly inlineLimitBytes: number
  readonly #log: MemoryCommitLog
  readonly #storage: EmbeddedLogStorage
  readonly #life: Life
  readonly #latencyMs: number
  #lastAtMs = 0

  constructor(storage: EmbeddedLogStorage, life: Life, latencyMs: number) {
    this.#log = new MemoryCommitLog({ storage, exclusive: true })
    this.inlineLimitBytes = this.#log.inlineLimitBytes
    this.#storage = storage
    this.#life = life
    this.#latencyMs = latencyMs
  }

  readAfter(version: number, options?: ReadLogOptions): AsyncIterable<LogEntry> {
    return this.#log.readAfter(version, options)
  }

  async append(entry: NewLogEntry, options?: LogCallOptions): Promise<AppendResult> {
    assertNewEntry(entry)
    const copy = { ...entry, payload: entry.payload.slice() }
    return this.#inTurn(`entry ${entry.version} is on disk`, async () => {
      const result = await this.#log.append(copy, options)
      if (result.appended) this.#storage.keep(copy.version, copy.payload)
      return result
    })
  }

  truncate(through: number, options?: LogCallOptions): Promise<void> {
    return this.#inTurn(`entries up to ${through} are truncated`, () =>
      this.#log.truncate(through, options),
    )
  }

  close(): Promise<void> {
    return this.#inTurn('the log is closed', () => this.#log.close())
  }

  #inTurn<T>(what: string, run: () => Promise<T>): Promise<T> {
    const { world } = this.#life
    const steps = world.decisions.choose('latency', 16)
    this.#lastAtMs = Math.max(this.#lastAtMs, world.nowMs + (this.#latencyMs * steps) / 8)
    return new Promise((resolve, reject) => {
      this.#life.after(this.#lastAtMs - world.nowMs, what, () => void run().then(resolve, reject))
    })
  }
}
