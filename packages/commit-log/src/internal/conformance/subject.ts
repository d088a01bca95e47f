import { type Env, ulid } from '@firn/env'
import type { AppendResult, CommitLog, LogEntry, NewLogEntry } from '../../commit-log.js'

/** A log under test: empty, with storage of its own. */
export interface CommitLogSubject {
  /** Opens a handle on the log. If handles aren't exclusive, several may be open at once. */
  open(): Promise<CommitLog>
  /** Removes an entry behind the log's back, if the storage allows it. */
  loseEntry?(version: number): Promise<void>
  /** Removes the test's leftovers. All handles are closed by then. */
  dispose(): Promise<void>
}

export interface ConformanceOptions {
  /** Default: one with the system's clock and randomness. */
  env?: Env
}

/** The tools of one test; closes the handles that it opened. */
export class LogFixture {
  readonly env: Env
  readonly #subject: CommitLogSubject
  readonly #handles: CommitLog[] = []

  constructor(subject: CommitLogSubject, env: Env) {
    this.#subject = subject
    this.env = env
  }

  get canLoseEntries(): boolean {
    return this.#subject.loseEntry !== undefined
  }

  async open(): Promise<CommitLog> {
    const log = await this.#subject.open()
    this.#handles.push(log)
    return log
  }

  async reopen(log: CommitLog): Promise<CommitLog> {
    await log.close()
    return this.open()
  }

  async loseEntry(version: number): Promise<void> {
    await this.#subject.loseEntry?.(version)
  }

  /** An entry for a version; its timestamp follows from the version, its token is fresh. */
  entry(version: number, payload: string | Uint8Array = payloadOf(version)): NewLogEntry {
    return {
      version,
      timestamp: timestampOf(version),
      token: ulid(this.env),
      payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
    }
  }

  /** Appends versions `from` to `to`, one after the other; returns the entries. */
  async fill(log: CommitLog, from: number, to: number): Promise<NewLogEntry[]> {
    const entries: NewLogEntry[] = []
    for (let version = from; version <= to; version++) {
      const entry = this.entry(version)
      entries.push({ ...entry, payload: entry.payload.slice() })
      const result = await log.append(entry)
      if (!result.appended) throw new Error(`version ${version} is taken`)
    }
    return entries
  }

  async dispose(): Promise<void> {
    for (const log of this.#handles) await log.close()
    await this.#subject.dispose()
  }
}

/** Payloads of different lengths: short ones, and some too long for a log with small items. */
export function payloadOf(version: number): string {
  return `payload ${version}${'.'.repeat((version * 7) % 20)}`
}

export function timestampOf(version: number): number {
  return 1_700_000_000_000_000 + version * 1000
}

export async function collect(entries: AsyncIterable<LogEntry>): Promise<LogEntry[]> {
  const all: LogEntry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

/** What `readAfter` returns for entries that were appended, with payloads as plain byte arrays. */
export function plain(entries: readonly (LogEntry | NewLogEntry)[]): unknown[] {
  return entries.map(({ version, timestamp, token, payload }) => ({
    version,
    timestamp,
    token,
    payload: payload === undefined ? 'tombstone' : payload.join(' '),
  }))
}

/** Commits as a writer does: reads to the end and takes the next number, until it wins one. */
export async function commit(
  log: CommitLog,
  after: number,
  make: (version: number) => NewLogEntry,
  append: (entry: NewLogEntry) => Promise<AppendResult>,
): Promise<number> {
  let last = after
  for (;;) {
    for await (const { version } of log.readAfter(last)) last = version
    const result = await append(make(last + 1))
    if (result.appended) return last + 1
  }
}
