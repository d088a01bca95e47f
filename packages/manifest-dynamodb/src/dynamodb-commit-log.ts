import {
  AmbiguousAppendError,
  type AppendRequests,
  type AppendResult,
  assertLimit,
  assertNewEntry,
  assertVersion,
  type CommitLog,
  Hedge,
  HedgedAppends,
  type LogCallOptions,
  type LogEntry,
  type NewLogEntry,
  type ReadLogOptions,
} from '@firn/commit-log'
import {
  assertUlid,
  ClosedError,
  CorruptionError,
  type Env,
  InvalidArgumentError,
  isFirnError,
  linkedController,
  readUndamaged,
  systemEnv,
} from '@firn/env'
import {
  decodeEntryItem,
  ENTRY_FORMAT,
  encodeEntryItem,
  entryKey,
  isTombstone,
} from './internal/entry-item.js'
import type { Item } from './internal/item-size.js'
import { type CallOptions, type Condition, ItemTable } from './internal/item-table.js'
import type { DynamoDbOptions } from './options.js'

export interface DynamoDbCommitLogOptions extends DynamoDbOptions {
  /** At most `MAX_PAYLOAD_BYTES`. Default 8 KiB; the README has the calculation. */
  inlineLimitBytes?: number
}

/**
 * The largest payload of an entry: an item has at most 409,600 bytes, names included. Longer
 * payloads must be spilled by a `SpillingCommitLog`.
 */
export const MAX_PAYLOAD_BYTES: number = 409_600 - 256

const ABSENT: Condition = { expression: 'attribute_not_exists(id)' }
// The entry exists, and its format is known.
const KNOWN: Condition = {
  expression: '#format <= :known',
  names: { '#format': 'format' },
  values: { ':known': { N: String(ENTRY_FORMAT) } },
}
const DEFAULT_INLINE_LIMIT_BYTES = 8_192
// The window in FORMAT.md, which bounds what an interrupted truncation left undone. Each request
// listens to the caller's signal, and Node.js warns of more than ten listeners.
const PARALLEL_UPDATES = 8
// A partition takes 1,000 write units a second. Truncation leaves most of them to commits.
const TRUNCATE_UNITS_PER_SECOND = 300

interface Page {
  entries: LogEntry[]
  atEnd: boolean
}

/**
 * The commit log in a DynamoDB table. Entry N is the item of sort key N in the database's
 * partition, created by one conditional put. Any number of processes can append at once; DynamoDB
 * decides which of them creates a version. The constructor sends nothing.
 */
export class DynamoDbCommitLog implements CommitLog {
  readonly exclusive: boolean = false
  readonly inlineLimitBytes: number
  readonly #table: ItemTable
  readonly #incarnation: string
  readonly #env: Env
  readonly #pages: Hedge
  readonly #appends: HedgedAppends
  readonly #underWay = new Set<Promise<unknown>>()
  /** Reads under way, which `close` aborts. */
  readonly #reads = new Set<AbortController>()
  #tombstonesThrough = 0
  #closed = false

  constructor(options: DynamoDbCommitLogOptions) {
    const { incarnation, env = systemEnv } = options
    const inlineLimitBytes = options.inlineLimitBytes ?? DEFAULT_INLINE_LIMIT_BYTES
    assertUlid(incarnation, "a database's incarnation")
    if (!(inlineLimitBytes >= 0 && inlineLimitBytes <= MAX_PAYLOAD_BYTES)) {
      throw new InvalidArgumentError(
        `inlineLimitBytes must be a number from 0 to ${MAX_PAYLOAD_BYTES}, got ${inlineLimitBytes}`,
      )
    }
    this.inlineLimitBytes = inlineLimitBytes
    this.#table = new ItemTable(options)
    this.#incarnation = incarnation
    this.#env = env
    this.#pages = new Hedge(env)
    this.#appends = new HedgedAppends(env)
  }

  /** Makes one request for each MiB of entries, and one if there are none. */
  async *readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    this.#assertOpen()
    assertVersion(version)
    assertLimit(options.limit)
    const { signal: caller, limit = Infinity, urgent } = options
    const { controller: read, end } = linkedController(caller)
    this.#reads.add(read)
    try {
      yield* this.#read(version, limit, { signal: read.signal, urgent })
    } finally {
      this.#reads.delete(read)
      end()
    }
  }

  async *#read(version: number, limit: number, options: CallOptions): AsyncIterable<LogEntry> {
    let position = version
    let left = limit
    while (left > 0) {
      const { entries, atEnd } = await this.#readPage(position, left, options)
      for (const entry of entries) {
        yield entry
        position = entry.version
      }
      left -= entries.length
      if (atEnd) return
      options.signal?.throwIfAborted()
    }
  }

  async append(entry: NewLogEntry, options: LogCallOptions = {}): Promise<AppendResult> {
    this.#assertOpen()
    assertNewEntry(entry)
    if (entry.payload.length > MAX_PAYLOAD_BYTES) {
      throw new InvalidArgumentError(
        `the payload of entry ${entry.version} has ${entry.payload.length} bytes, but an item takes at most ${MAX_PAYLOAD_BYTES}; use a SpillingCommitLog`,
      )
    }
    options.signal?.throwIfAborted()
    return this.#track(this.#create(entry, options.signal))
  }

  async truncate(through: number, options: LogCallOptions = {}): Promise<void> {
    this.#assertOpen()
    assertVersion(through)
    options.signal?.throwIfAborted()
    await this.#track(this.#truncate(through, options.signal))
  }

  /** Ends reads under way, and waits for appends and truncations. */
  async close(): Promise<void> {
    this.#closed = true
    for (const read of this.#reads) read.abort(new ClosedError('the commit log is closed'))
    // An append may still send a second request because the first is late.
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  #create(entry: NewLogEntry, caller: AbortSignal | undefined): Promise<AppendResult> {
    const item = encodeEntryItem(this.#incarnation, entry)
    const requests: AppendRequests<Item | undefined> = {
      // Track also a request that the append no longer waits for: `close` waits for all.
      put: (signal) => this.#track(this.#put(entry, item, signal)),
      look: (signal) => this.#readOne(entry.version, signal),
      readWinner: (refused) => this.#winnerOf(entry, refused, caller),
    }
    return this.#appends.append(entry, requests, caller)
  }

  async #put(
    entry: NewLogEntry,
    item: Item,
    signal: AbortSignal,
  ): Promise<{ appended: true } | { refusal: Item | undefined }> {
    const outcome = await this.#table.putIf(ABSENT, item, signal)
    if ('done' in outcome) return { appended: true }
    if ('unknown' in outcome) throw new AmbiguousAppendError(entry, outcome.unknown)
    return { refusal: outcome.refused }
  }

  /** Finds the entry that was first, perhaps by an earlier delivery of this very request. */
  async #winnerOf(
    entry: NewLogEntry,
    refused: Item | undefined,
    signal: AbortSignal | undefined,
  ): Promise<LogEntry> {
    const winner = this.#decodeWinner(refused) ?? (await this.#readWinner(entry, signal))
    if (winner.version === entry.version) return winner
    throw new CorruptionError(
      `log ${this.#incarnation} has entry ${winner.version} in the place of ${entry.version}; check that createTable made the table`,
    )
  }

  /** Decodes the entry in a refusal; `undefined` if the server sent none, or it is damaged. */
  #decodeWinner(item: Item | undefined): LogEntry | undefined {
    if (item === undefined) return undefined
    try {
      return decodeEntryItem(this.#incarnation, item)
    } catch (error) {
      // It may have been damaged on its way here.
      if (isUndecodable(error)) return undefined
      throw error
    }
  }

  async #readWinner(entry: NewLogEntry, signal: AbortSignal | undefined): Promise<LogEntry> {
    let winner: LogEntry | undefined
    try {
      winner = await this.#readOne(entry.version, signal)
    } catch (error) {
      if (isUndecodable(error)) throw error
      throw new AmbiguousAppendError(entry, error)
    }
    if (winner === undefined) {
      const what = `entry ${entry.version} exists according to DynamoDB, but a read doesn't find it`
      throw new AmbiguousAppendError(entry, new CorruptionError(what))
    }
    return winner
  }

  async #readOne(version: number, signal: AbortSignal | undefined): Promise<LogEntry | undefined> {
    const { entries } = await this.#readPage(version - 1, 1, { signal, urgent: true })
    return entries[0]
  }

  #readPage(
    position: number,
    limit: number,
    { signal: caller, urgent }: CallOptions,
  ): Promise<Page> {
    return this.#pages.run({
      request: (signal) =>
        readUndamaged(() => this.#readPageOnce(position, limit, { signal, urgent })),
      signal: caller,
    })
  }

  async #readPageOnce(position: number, limit: number, options: CallOptions): Promise<Page> {
    const key = entryKey(this.#incarnation, position)
    const { items, atEnd } = await this.#table.query(key, limit, options)
    const entries = items.map((item, i) => {
      const entry = decodeEntryItem(this.#incarnation, item)
      const expected = position + i + 1
      if (entry.version === expected) return entry
      throw new CorruptionError(
        `entry ${expected} is missing from log ${this.#incarnation}: entry ${entry.version} comes after ${expected - 1}; restore from a backup`,
      )
    })
    return { entries, atEnd }
  }

  async #truncate(through: number, signal: AbortSignal | undefined): Promise<void> {
    let next = Math.max(this.#tombstonesThrough, await this.#searchTombstones(through, signal)) + 1
    // Each window is done before the next one begins, so tombstones have no gaps before it.
    while (next <= through) {
      const startedAt = this.#env.monotonic()
      const end = Math.min(through, next + PARALLEL_UPDATES - 1)
      const window = Array.from({ length: end - next + 1 }, (_, i) => next + i)
      const units = await Promise.all(
        window.map((version) => this.#writeTombstone(version, signal)),
      )
      if (units.includes(0)) return
      this.#tombstonesThrough = end
      next = end + 1
      const used = units.reduce((sum, one) => sum + one, 0)
      const dueMs = (used * 1000) / TRUNCATE_UNITS_PER_SECOND
      const leftMs = dueMs - (this.#env.monotonic() - startedAt)
      if (next <= through) await this.#env.sleep(leftMs, signal)
    }
  }

  /** Makes one entry a tombstone; returns its cost in write units, 0 if there is no such entry. */
  async #writeTombstone(version: number, signal: AbortSignal | undefined): Promise<number> {
    const key = entryKey(this.#incarnation, version)
    const result = await this.#table.updateIf(KNOWN, key, 'REMOVE payload, payloadCrc', signal)
    if ('done' in result) return result.done.ConsumedCapacity?.CapacityUnits ?? 1
    // Throws for an entry of a newer format.
    if (result.refused !== undefined) decodeEntryItem(this.#incarnation, result.refused)
    return 0
  }

  /**
   * Returns a version up to which all entries are tombstones, by bisection on this handle's first
   * call. Goes back one window, since an interrupted truncation may have left its last one half
   * done.
   */
  async #searchTombstones(through: number, signal: AbortSignal | undefined): Promise<number> {
    if (this.#tombstonesThrough > 0) return 0
    let low = 0
    let high = through + 1
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2)
      const item = await this.#table.get(entryKey(this.#incarnation, middle), { signal })
      if (item !== undefined && isTombstone(item)) low = middle
      else high = middle
    }
    return Math.max(0, low - PARALLEL_UPDATES)
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

function isUndecodable(error: unknown): boolean {
  return isFirnError(error, 'FIRN_CORRUPTION') || isFirnError(error, 'FIRN_FORMAT_VERSION')
}
