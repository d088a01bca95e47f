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
  /** Says when a request is late. Default: the system's. */
  env?: Env
}

const DEFAULT_INLINE_LIMIT_BYTES = 1_048_576
// Entries that are asked for by their names at once, 1 at first and then twice as many, are fewer
// than this: a list request costs twelve times a read, and a refresh mostly finds nothing or a few.
const FEW = 8
const PARALLEL_READS = 16
// Entries that are read before their turn, while an earlier one is late: of up to 1 MiB each.
const READ_AHEAD = 32
const LISTED_AT_ONCE = 1000
// Entries that a list may leave out, as they were created meanwhile.
const MOST_SKIPPED = 1000

/** An entry to be read, and whether the log was listed, and has it. */
interface Wanted {
  version: number
  isListed: boolean
}

/**
 * The commit log on nothing but an object store: entry N is the object `log/<incarnation>/<N>`,
 * created by one conditional put. Any number of processes append at once; the store decides who
 * creates a number. The store stays the caller's to close.
 *
 * Some of a store's answers are late, by seconds: nothing waits for a single one. See `Hedge` for
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
   * A few entries are asked for by their names, one, then two, then four at once: the end is where
   * one is missing. A longer tail, and whatever this handle reads first, is listed, which also
   * finds gaps, and then read with several requests at once.
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
        // An entry above a hole came after the hole was looked at, unless it is one for good.
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
    // An append may still make a request for one that is late.
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  #create(entry: NewLogEntry, caller: AbortSignal | undefined): Promise<AppendResult> {
    const requests: AppendRequests<unknown> = {
      // Also one that isn't waited for any more: `close` comes after the last one.
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
      // Certainly not written. What may go away by itself is for `appendSettled`, which has time.
      if (isFirnError(error) && error.maybeDone === false && !error.retryable) throw error
      throw new AmbiguousAppendError(entry, error)
    }
  }

  /** Somebody was first; it may have been an earlier delivery of this very request. */
  async #readWinner(
    entry: NewLogEntry,
    signal: AbortSignal | undefined,
    refusal: unknown,
  ): Promise<LogEntry> {
    let winner: LogEntry | undefined
    try {
      winner = await this.#read(entry.version, { signal, urgent: true })
    } catch (error) {
      // An entry of a newer format is another's; one that can't be read may be this one.
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

  /** The entries after a position, `undefined` where one is missing that nothing is known of. */
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
        // All that was listed is read.
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
   * How many entries follow a position, up to about `limit`. A list is no picture of one moment: it
   * may show an entry and not the one before, which was created after its place was passed. So an
   * entry that is missing between others is read: only then it is known.
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
    // Each window is done before the next one begins: tombstones reach from 1 up to somewhere.
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

  /** Replaces one entry by its tombstone; false where there is no such entry. */
  async #writeTombstone(version: number, signal: AbortSignal | undefined): Promise<boolean> {
    const header = await this.#readHeader(version, signal)
    if (header === undefined) return false
    if (header.tombstone) return true
    const key = logEntryKey(this.#incarnation, version)
    const { timestamp, token } = header
    // The content follows from the entry alone, so it doesn't matter who writes it, or how often.
    const tombstone = encodeEntryObject(key, { version, timestamp, token, payload: undefined })
    await this.#store.put(key, tombstone, { signal })
    return true
  }

  /**
   * A version up to which all entries are tombstones, found by halving on this handle's first call.
   * A truncation that was broken off may have left its last window half done: one window less.
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
