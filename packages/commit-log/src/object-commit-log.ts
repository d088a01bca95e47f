import {
  assertUlid,
  ClosedError,
  CorruptionError,
  type Env,
  isFirnError,
  readUndamaged,
  separateSignals,
  systemEnv,
} from '@firn/env'
import type { CallOptions, ObjectStore } from '@firn/object-store'
import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
} from './commit-log.js'
import { AmbiguousAppendError } from './errors.js'
import { Hedge } from './hedge.js'
import { type AppendRequests, HedgedAppends } from './hedged-appends.js'
import { BatchedEntries } from './internal/batched-entries.js'
import { assertLimit, assertNewEntry, assertVersion } from './internal/entry-checks.js'
import {
  decodeEntryHeader,
  decodeEntryObject,
  ENTRY_HEADER_BYTES,
  encodeEntryObject,
} from './internal/entry-object.js'
import { ReadAhead } from './internal/read-ahead.js'
import { logEntryKey, logPrefix, versionOfKey } from './object-keys.js'

export interface ObjectCommitLogOptions {
  /** Default 1 MiB. */
  inlineLimitBytes?: number
  /** Times the requests, to tell which are late. Default: the system's. */
  env?: Env
}

const DEFAULT_INLINE_LIMIT_BYTES = 1_048_576
// Requests by name, one at first and then twice as many, stay below this number: a list request
// costs twelve times a read, and a refresh mostly finds nothing or a few entries.
const FEW = 8
const PARALLEL_READS = 16
// Most entries read ahead of their turn while an earlier one is late: up to 1 MiB each.
const READ_AHEAD = 32
const LISTED_AT_ONCE = 1000
// Most entries that a list may leave out because they were created meanwhile.
const MOST_SKIPPED = 1000

/** An entry to read, and whether a list showed that it exists. */
interface Wanted {
  version: number
  isListed: boolean
}

/**
 * A commit log that needs only an object store: entry N is the object `log/<incarnation>/<N>`,
 * created by one conditional put. Any number of processes append at once; the store decides which
 * one creates a number. The caller closes the store.
 *
 * Some of a store's answers are seconds late; no call depends on a single one. See `Hedge` for
 * reads and `HedgedAppends` for appends.
 */
export class ObjectCommitLog implements CommitLog {
  readonly exclusive: boolean = false
  readonly inlineLimitBytes: number
  readonly #store: ObjectStore
  readonly #incarnation: string
  readonly #reads: Hedge
  readonly #lists: Hedge
  readonly #appends: HedgedAppends
  readonly #underWay = new Set<Promise<unknown>>()
  #listed = false
  #tombstonesThrough = 0
  #closed = false

  constructor(store: ObjectStore, incarnation: string, options: ObjectCommitLogOptions = {}) {
    assertUlid(incarnation, "a database's incarnation")
    this.#store = store
    this.#incarnation = incarnation
    this.inlineLimitBytes = options.inlineLimitBytes ?? DEFAULT_INLINE_LIMIT_BYTES
    const env = options.env ?? systemEnv
    this.#reads = new Hedge(env)
    this.#lists = new Hedge(env)
    this.#appends = new HedgedAppends(env)
  }

  /**
   * Asks for a few entries by name: one, then two, then four at once, until one is missing, which
   * is the end. A longer tail, and the first read of this handle, is listed, which also finds gaps,
   * and then read with several requests at once.
   */
  readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    this.#assertOpen()
    assertVersion(version)
    assertLimit(options.limit)
    const { signal, urgent } = options
    const tail = this.#readTail(version, Math.ceil(options.limit ?? Infinity), options)
    let position = version
    return new BatchedEntries(
      async () => {
        this.#assertOpen()
        const entries = await tail.next()
        const hole = entries.indexOf(undefined)
        if (hole < 0) {
          position += entries.length
          return entries as LogEntry[]
        }
        tail.end()
        // An entry above a hole was created after the hole was looked at, unless the hole is
        // permanent.
        if (entries.some((entry, i) => i > hole && entry !== undefined)) {
          const version = position + hole + 1
          const found = await this.#read(version, { signal, urgent })
          if (found === undefined) throw missing(version, 'a later one')
        }
        return entries.slice(0, hole) as LogEntry[]
      },
      () => tail.end(),
    )
  }

  async append(entry: NewLogEntry, options: LogCallOptions = {}): Promise<AppendResult> {
    this.#assertOpen()
    assertNewEntry(entry)
    options.signal?.throwIfAborted()
    return this.#track(this.#create(entry, options.signal))
  }

  async truncate(through: number, options: LogCallOptions = {}): Promise<void> {
    this.#assertOpen()
    assertVersion(through)
    options.signal?.throwIfAborted()
    await this.#track(this.#truncate(through, options.signal))
  }

  async close(): Promise<void> {
    this.#closed = true
    // A late append may still make another request.
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  #create(entry: NewLogEntry, caller: AbortSignal | undefined): Promise<AppendResult> {
    const requests: AppendRequests<unknown> = {
      // Tracks requests that aren't waited for any more, too: `close` waits for the last one.
      put: (signal) => this.#track(this.#put(entry, signal)),
      look: (signal) => this.#readOnce(entry.version, { signal, urgent: true }),
      readWinner: (refusal) => this.#readWinner(entry, caller, refusal),
    }
    return this.#appends.append(entry, requests, caller)
  }

  async #put(
    entry: NewLogEntry,
    signal: AbortSignal,
  ): Promise<{ appended: true } | { refusal: unknown }> {
    const key = logEntryKey(this.#incarnation, entry.version)
    try {
      const options = { ifAbsent: true, signal, urgent: true }
      await this.#store.put(key, encodeEntryObject(key, entry), options)
      return { appended: true }
    } catch (error) {
      if (isFirnError(error, 'FIRN_PRECONDITION_FAILED')) return { refusal: error }
      // Certainly not written. If the failure may pass, `appendSettled` retries: it has time.
      if (isFirnError(error) && error.maybeDone === false && !error.retryable) throw error
      throw new AmbiguousAppendError(entry, error)
    }
  }

  /** Another append was first; it may be an earlier delivery of this same request. */
  async #readWinner(
    entry: NewLogEntry,
    signal: AbortSignal | undefined,
    refusal: unknown,
  ): Promise<LogEntry> {
    let winner: LogEntry | undefined
    try {
      winner = await this.#read(entry.version, { signal, urgent: true })
    } catch (error) {
      // An entry of a newer format is another writer's; one that can't be read may be this one.
      if (isFirnError(error, 'FIRN_FORMAT_VERSION')) throw error
      throw new AmbiguousAppendError(entry, error)
    }
    if (winner === undefined) throw new AmbiguousAppendError(entry, refusal)
    return winner
  }

  #read(version: number, { signal: caller, urgent }: CallOptions): Promise<LogEntry | undefined> {
    const request = (signal: AbortSignal) => this.#readOnce(version, { signal, urgent })
    return this.#reads.run({ request, signal: caller })
  }

  async #readOnce(version: number, options: CallOptions): Promise<LogEntry | undefined> {
    const key = logEntryKey(this.#incarnation, version)
    try {
      return await readUndamaged(async () => {
        const { bytes } = await this.#store.get(key, options)
        return ofVersion(decodeEntryObject(key, bytes), version, key)
      })
    } catch (error) {
      if (isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) return undefined
      throw error
    }
  }

  /** The entries after a position; `undefined` for a missing one that no list has shown. */
  #readTail(
    position: number,
    limit: number,
    options: CallOptions,
  ): ReadAhead<Wanted, LogEntry | undefined> {
    const { signal: caller, urgent } = options
    const end = position + limit
    let through = position
    let probes = this.#listed || limit < FEW ? 1 : FEW
    let isAtEnd = false
    return new ReadAhead({
      items: async () => {
        const count = Math.min(probes < FEW ? probes : LISTED_AT_ONCE, end - through)
        // Everything that was listed is read.
        this.#listed ||= isAtEnd
        if (isAtEnd || count <= 0) return []
        const from = through
        const isListed = probes >= FEW
        if (isListed) {
          const listed = await this.#list(from, count, options)
          through = Math.min(end, from + listed)
          isAtEnd = listed < count
        } else {
          through += count
          probes *= 2
        }
        return Array.from({ length: through - from }, (_, i) => ({
          version: from + i + 1,
          isListed,
        }))
      },
      read: async ({ version, isListed }, signal) => {
        const entry = await this.#read(version, { signal, urgent })
        if (entry !== undefined || !isListed) return entry
        throw missing(version, 'it, or a later entry,')
      },
      parallel: PARALLEL_READS,
      ahead: READ_AHEAD,
      signal: caller,
    })
  }

  /**
   * Counts the entries that follow a position, up to about `limit`. A list is not a snapshot: it
   * may show an entry and miss the one before, created after the list had passed its place. So an
   * entry missing between others is read: only that decides.
   */
  #list(position: number, limit: number, options: CallOptions): Promise<number> {
    const { signal: caller, urgent } = options
    const prefix = logPrefix(this.#incarnation)
    const startAfter = logEntryKey(this.#incarnation, position)
    const request = async (signal: AbortSignal): Promise<number> => {
      let last = position
      let skipped = 0
      const infos = this.#store.list({ signal, urgent, prefix, startAfter, limit })
      for await (const { key } of infos) {
        const version = versionOfKey(key, prefix) ?? 0
        skipped += version - last - 1
        if (version <= last || skipped > MOST_SKIPPED) throw missing(last + 1, key)
        last = version
      }
      return last - position
    }
    return this.#lists.run({ request, signal: caller })
  }

  async #truncate(through: number, signal: AbortSignal | undefined): Promise<void> {
    let next = Math.max(this.#tombstonesThrough, await this.#searchTombstones(through, signal)) + 1
    // Finish each window before the next: tombstones form one run from version 1.
    while (next <= through) {
      signal?.throwIfAborted()
      const end = Math.min(through, next + PARALLEL_READS - 1)
      const window = Array.from({ length: end - next + 1 }, (_, i) => next + i)
      const { signals, end: endSignals } = separateSignals(signal, window.length)
      const done = await Promise.all(
        window.map((version, i) => this.#writeTombstone(version, signals[i])),
      ).finally(endSignals)
      if (done.includes(false)) return
      this.#tombstonesThrough = end
      next = end + 1
    }
  }

  /** Replaces one entry by its tombstone; false if there is no such entry. */
  async #writeTombstone(version: number, signal: AbortSignal | undefined): Promise<boolean> {
    const header = await this.#readHeader(version, signal)
    if (header === undefined) return false
    if (header.tombstone) return true
    const key = logEntryKey(this.#incarnation, version)
    const { timestamp, token } = header
    // The content depends on the entry alone, so any writer may write it, any number of times.
    const tombstone = encodeEntryObject(key, { version, timestamp, token, payload: undefined })
    await this.#store.put(key, tombstone, { signal })
    return true
  }

  /**
   * A version up to which all entries are tombstones, found by bisection on this handle's first
   * call. An interrupted truncation may have left its last window half done, so the result is one
   * window less.
   */
  async #searchTombstones(through: number, signal: AbortSignal | undefined): Promise<number> {
    if (this.#tombstonesThrough > 0) return 0
    let low = 0
    let high = through + 1
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2)
      const header = await this.#readHeader(middle, signal)
      if (header?.tombstone === true) low = middle
      else high = middle
    }
    return Math.max(0, low - PARALLEL_READS)
  }

  async #readHeader(
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<ReturnType<typeof decodeEntryHeader> | undefined> {
    const key = logEntryKey(this.#incarnation, version)
    try {
      const range = { start: 0, end: ENTRY_HEADER_BYTES }
      const { bytes } = await this.#store.get(key, { range, signal })
      return ofVersion(decodeEntryHeader(key, bytes), version, key)
    } catch (error) {
      if (isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) return undefined
      throw error
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    const forget = () => this.#underWay.delete(work)
    work.then(forget, forget)
    return work
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('the commit log is closed')
  }
}

function missing(version: number, seen: string): CorruptionError {
  return new CorruptionError(
    `entry ${version} is missing from the commit log, though ${seen} is there. Restore from a backup`,
  )
}

function ofVersion<T extends { version: number }>(entry: T, version: number, key: string): T {
  if (entry.version === version) return entry
  throw new CorruptionError(`${key} holds entry ${entry.version}`)
}
