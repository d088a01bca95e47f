import { assertUlid, ClosedError, CorruptionError, isFirnError } from '@firn/env'
import type { CallOptions, ObjectInfo, ObjectStore } from '@firn/object-store'
import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
} from './commit-log.js'
import { AmbiguousAppendError } from './errors.js'
import { BatchedEntries } from './internal/batched-entries.js'
import { assertLimit, assertNewEntry, assertVersion } from './internal/entry-checks.js'
import {
  decodeEntryHeader,
  decodeEntryObject,
  ENTRY_HEADER_BYTES,
  encodeEntryObject,
} from './internal/entry-object.js'
import { fanOut } from './internal/fan-out.js'
import { logEntryKey, logPrefix, versionOfKey } from './object-keys.js'
import { readUndamaged } from './read-undamaged.js'

export interface ObjectCommitLogOptions {
  /** Default 1 MiB. */
  inlineLimitBytes?: number
}

const DEFAULT_INLINE_LIMIT_BYTES = 1_048_576
// Entries that are asked for one after the other before the log is listed: a list request costs
// twelve times a read, and a refresh mostly finds nothing or a few.
const PROBES = 4
const PARALLEL_READS = 16

/**
 * The commit log on nothing but an object store: entry N is the object `log/<incarnation>/<N>`,
 * created by one conditional put. Any number of processes append at once; the store decides who
 * creates a number. The store stays the caller's to close.
 */
export class ObjectCommitLog implements CommitLog {
  readonly exclusive: boolean = false
  readonly inlineLimitBytes: number
  readonly #store: ObjectStore
  readonly #incarnation: string
  readonly #underWay = new Set<Promise<unknown>>()
  #listed = false
  #tombstonesThrough = 0
  #closed = false

  constructor(store: ObjectStore, incarnation: string, options: ObjectCommitLogOptions = {}) {
    assertUlid(incarnation, "a database's incarnation")
    this.#store = store
    this.#incarnation = incarnation
    this.inlineLimitBytes = options.inlineLimitBytes ?? DEFAULT_INLINE_LIMIT_BYTES
  }

  /**
   * A few entries are asked for by their names, each read by one request and the end by another. A
   * longer tail, and whatever this handle reads first, is listed, which also finds gaps, and then
   * read with several requests at once.
   */
  readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    this.#assertOpen()
    assertVersion(version)
    assertLimit(options.limit)
    const { signal, urgent } = options
    let position = version
    let left = options.limit ?? Infinity
    let probes = this.#listed || left <= PROBES ? PROBES : 0
    let listing: AsyncIterator<ObjectInfo> | undefined
    return new BatchedEntries(
      async () => {
        signal?.throwIfAborted()
        this.#assertOpen()
        if (left <= 0) return undefined
        let batch: LogEntry[]
        if (probes > 0) {
          probes--
          const entry = await this.#read(position + 1, { signal, urgent })
          batch = entry === undefined ? [] : [entry]
        } else {
          listing ??= this.#list(position, { signal, urgent })
          const count = Math.min(left, PARALLEL_READS)
          batch = await this.#readListed(listing, position, count, { signal, urgent })
        }
        position += batch.length
        left -= batch.length
        return batch
      },
      () => void listing?.return?.().catch(() => undefined),
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
    await Promise.allSettled(this.#underWay)
  }

  async #create(entry: NewLogEntry, signal: AbortSignal | undefined): Promise<AppendResult> {
    const key = logEntryKey(this.#incarnation, entry.version)
    try {
      const options = { ifAbsent: true, signal, urgent: true }
      await this.#store.put(key, encodeEntryObject(key, entry), options)
      return { appended: true }
    } catch (error) {
      if (isFirnError(error, 'FIRN_PRECONDITION_FAILED')) {
        return this.#meetWinner(entry, signal, error)
      }
      // Certainly not written. What may go away by itself is for `appendSettled`, which has time.
      if (isFirnError(error) && error.maybeDone === false && !error.retryable) throw error
      throw new AmbiguousAppendError(entry, error)
    }
  }

  /** Somebody was first; it may have been an earlier delivery of this very request. */
  async #meetWinner(
    entry: NewLogEntry,
    signal: AbortSignal | undefined,
    refusal: unknown,
  ): Promise<AppendResult> {
    let winner: LogEntry | undefined
    try {
      winner = await this.#read(entry.version, { signal, urgent: true })
    } catch (error) {
      // An entry of a newer format is another's; one that can't be read may be this one.
      if (isFirnError(error, 'FIRN_FORMAT_VERSION')) throw error
      throw new AmbiguousAppendError(entry, error)
    }
    if (winner === undefined) throw new AmbiguousAppendError(entry, refusal)
    return { appended: false, winner }
  }

  async #read(version: number, options: CallOptions): Promise<LogEntry | undefined> {
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

  #list(position: number, options: CallOptions): AsyncIterator<ObjectInfo> {
    const prefix = logPrefix(this.#incarnation)
    const startAfter = logEntryKey(this.#incarnation, position)
    return this.#store.list({ ...options, prefix, startAfter })[Symbol.asyncIterator]()
  }

  async #readListed(
    listing: AsyncIterator<ObjectInfo>,
    position: number,
    count: number,
    { signal, urgent }: CallOptions,
  ): Promise<LogEntry[]> {
    const prefix = logPrefix(this.#incarnation)
    const versions: number[] = []
    while (versions.length < count) {
      const { done, value } = await listing.next()
      if (done === true) break
      const expected = position + versions.length + 1
      if (versionOfKey(value.key, prefix) !== expected) {
        throw new CorruptionError(
          `entry ${expected} is missing from the commit log: ${value.key} comes after ${expected - 1}. Restore from a backup`,
        )
      }
      versions.push(expected)
    }
    if (versions.length < count) this.#listed = true
    return fanOut(versions, signal, async (version, own) => {
      const entry = await this.#read(version, { signal: own, urgent })
      if (entry !== undefined) return entry
      throw new CorruptionError(`entry ${version} was listed, but is gone from the commit log`)
    })
  }

  async #truncate(through: number, signal: AbortSignal | undefined): Promise<void> {
    let next = Math.max(this.#tombstonesThrough, await this.#searchTombstones(through, signal)) + 1
    // Each window is done before the next one begins: tombstones reach from 1 up to somewhere.
    while (next <= through) {
      signal?.throwIfAborted()
      const end = Math.min(through, next + PARALLEL_READS - 1)
      const window = Array.from({ length: end - next + 1 }, (_, i) => next + i)
      const done = await fanOut(window, signal, (version, own) => this.#bury(version, own))
      if (done.includes(false)) return
      this.#tombstonesThrough = end
      next = end + 1
    }
  }

  /** Replaces one entry by its tombstone; false where there is no such entry. */
  async #bury(version: number, signal: AbortSignal | undefined): Promise<boolean> {
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

function ofVersion<T extends { version: number }>(entry: T, version: number, key: string): T {
  if (entry.version === version) return entry
  throw new CorruptionError(`${key} holds entry ${entry.version}`)
}
