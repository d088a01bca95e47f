import { ByteReader, ByteWriter, crc32, hashRange } from '@firn/bytes'
import {
  assertUlid,
  CorruptionError,
  type Env,
  InvalidArgumentError,
  isFirnError,
  isUint8Array,
  systemEnv,
} from '@firn/env'
import type { ObjectStore } from '@firn/object-store'
import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
  TruncateOptions,
} from './commit-log.js'
import { Hedge } from './hedge.js'
import { BatchedEntries } from './internal/batched-entries.js'
import { entryAt } from './lookup.js'
import { spillKey, spillPrefix, versionOfKey } from './object-keys.js'

/** First byte of a payload that only names the object with the real one. FORMAT.md. */
export const SPILLED_PAYLOAD_FORMAT = 0x80

export interface SpillingCommitLogOptions {
  /** Payloads longer than this are stored as objects of their own. */
  itemLimitBytes: number
  /** Times the requests, to tell which are late. Default: the system's. */
  env?: Env
}

/**
 * A log in front of one with limited entry size: a longer payload becomes an object, and the entry
 * holds its length and hash.
 *
 * The object is written first, under a name made of version and token. So an entry never refers to
 * a missing object, racing writers never share one, and a repeated attempt writes the same one.
 * Truncation deletes objects after their entries became tombstones. A late read or put of an object
 * is made once more: see `Hedge`.
 */
export class SpillingCommitLog implements CommitLog {
  readonly exclusive: boolean
  readonly inlineLimitBytes: number
  readonly #log: CommitLog
  readonly #store: ObjectStore
  readonly #incarnation: string
  readonly #itemLimitBytes: number
  readonly #reads: Hedge
  readonly #puts: Hedge

  /** Owns `log`, not `store`. */
  constructor(
    log: CommitLog,
    store: ObjectStore,
    incarnation: string,
    options: SpillingCommitLogOptions,
  ) {
    if (!(options.itemLimitBytes >= REFERENCE_BYTES)) {
      throw new InvalidArgumentError(
        `itemLimitBytes is at least ${REFERENCE_BYTES}, got ${options.itemLimitBytes}`,
      )
    }
    assertUlid(incarnation, "a database's incarnation")
    // A spilled append takes two requests; a pipeline wouldn't keep their order.
    this.exclusive = false
    this.inlineLimitBytes = log.inlineLimitBytes
    this.#log = log
    this.#store = store
    this.#incarnation = incarnation
    this.#itemLimitBytes = options.itemLimitBytes
    const env = options.env ?? systemEnv
    this.#reads = new Hedge(env)
    this.#puts = new Hedge(env)
  }

  readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    const entries = this.#log.readAfter(version, options)[Symbol.asyncIterator]()
    return new BatchedEntries(
      async () => {
        const { done, value } = await entries.next()
        return done === true ? undefined : [await this.#resolve(value, options)]
      },
      () => void entries.return?.().catch(() => undefined),
    )
  }

  async append(entry: NewLogEntry, options: LogCallOptions = {}): Promise<AppendResult> {
    if (!isUint8Array(entry.payload) || entry.payload.length <= this.#itemLimitBytes) {
      return this.#withWinner(await this.#log.append(entry, options), options)
    }
    options.signal?.throwIfAborted()
    const key = spillKey(this.#incarnation, entry.version, entry.token)
    // A failure here leaves an unreferenced object, and no doubt about the entry.
    await this.#puts.run({
      request: (signal) => this.#store.put(key, entry.payload, { signal, urgent: true }),
      signal: options.signal,
    })
    const payload = encodeReference(entry.payload)
    const result = await this.#log.append({ ...entry, payload }, options)
    if (result.appended) return result
    // Our own entry again. Don't read its object: a failed read would say nothing about the entry.
    if (result.winner.token === entry.token) {
      return { appended: false, winner: { ...result.winner, payload: entry.payload } }
    }
    // Lost for good: this token will never be in the log. A leftover object only costs space.
    await this.#store.delete(key, { signal: options.signal }).catch(() => undefined)
    return this.#withWinner(result, options)
  }

  async truncate(through: number, options: TruncateOptions = {}): Promise<void> {
    await this.#log.truncate(through, options)
    const prefix = spillPrefix(this.#incarnation)
    const old: string[] = []
    let last = 0
    for await (const { key } of this.#store.list({ prefix, signal: options.signal })) {
      const version = versionOfKey(key, prefix)
      if (version === undefined || version > through) break
      old.push(key)
      last = version
    }
    if (old.length === 0) return
    // A log may keep entries longer than asked; their objects must then stay too.
    const entry = await entryAt(this.#log, last, options)
    if (entry?.payload === undefined) await this.#store.delete(old, options)
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  async #withWinner(result: AppendResult, options: LogCallOptions): Promise<AppendResult> {
    if (result.appended) return result
    const winner = await this.#resolve(result.winner, { ...options, urgent: true })
    return { appended: false, winner }
  }

  /** Returns the entry with its real payload, read from the object if it was spilled. */
  async #resolve(entry: LogEntry, { signal: caller, urgent }: ReadLogOptions): Promise<LogEntry> {
    if (entry.payload?.[0] !== SPILLED_PAYLOAD_FORMAT) return entry
    const key = spillKey(this.#incarnation, entry.version, entry.token)
    const reference = decodeReference(entry.payload, `commit log entry ${entry.version}`)
    // Fetch once more if it doesn't match: it may have been damaged on the way.
    for (let attempt = 1; attempt <= 2; attempt++) {
      let payload: Uint8Array
      try {
        const request = (signal: AbortSignal) => this.#store.get(key, { signal, urgent })
        payload = (await this.#reads.run({ request, signal: caller })).bytes
      } catch (error) {
        if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) throw error
        // The entry may have been truncated since it was read.
        const now = await entryAt(this.#log, entry.version, { signal: caller })
        if (now !== undefined && now.payload === undefined) return now
        throw new CorruptionError(`${key}: the payload of entry ${entry.version} is missing`)
      }
      if (payload.length === reference.length && checksumOf(payload) === reference.checksum) {
        return { ...entry, payload }
      }
    }
    throw new CorruptionError(
      `${key}: this is not the payload that entry ${entry.version} was written with`,
    )
  }
}

// Format byte, length, CRC-32, 32-bit hash. FORMAT.md, "Spilled payload".
const REFERENCE_BYTES = 17
const HASH_SEED = 0x6e726966

function encodeReference(payload: Uint8Array): Uint8Array {
  const out = new ByteWriter(REFERENCE_BYTES)
  out.u8(SPILLED_PAYLOAD_FORMAT)
  out.u64(payload.length)
  out.u32(crc32(payload))
  out.u32(hashRange(payload, 0, payload.length, HASH_SEED) >>> 0)
  return out.take()
}

function decodeReference(bytes: Uint8Array, what: string): { length: number; checksum: string } {
  const reader = new ByteReader(bytes, what)
  reader.u8()
  const length = reader.u64()
  const checksum = `${reader.u32()}-${reader.u32()}`
  reader.expectEnd()
  return { length, checksum }
}

function checksumOf(payload: Uint8Array): string {
  return `${crc32(payload)}-${hashRange(payload, 0, payload.length, HASH_SEED) >>> 0}`
}
