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

/** First byte of a payload that only says in which object the real one is. FORMAT.md. */
export const SPILLED_PAYLOAD_FORMAT = 0x80

export interface SpillingCommitLogOptions {
  /** Payloads of more bytes than this go into an object of their own. */
  itemLimitBytes: number
  /** Says when a request is late. Default: the system's. */
  env?: Env
}

/**
 * A log in front of one whose entries are limited in size: a longer payload becomes an object, and
 * the entry holds its length and hash.
 *
 * The object is written first, under a name made of version and token, so that an entry never
 * refers to nothing, racers never share one, and an attempt made again writes the same object.
 * Truncation deletes objects after their entries became tombstones. A read or a put of an object
 * that is late is made once more: see `Hedge`.
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
    // A spilled append takes two requests, whose order a pipeline wouldn't keep.
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
    // A failure here leaves an object that nothing refers to, and no doubt about the entry.
    await this.#puts.run({
      request: (signal) => this.#store.put(key, entry.payload, { signal, urgent: true }),
      signal: options.signal,
    })
    const payload = encodeReference(entry.payload)
    const result = await this.#log.append({ ...entry, payload }, options)
    if (result.appended) return result
    // Our own entry, met again. A read of its object could fail, and say nothing about the entry.
    if (result.winner.token === entry.token) {
      return { appended: false, winner: { ...result.winner, payload: entry.payload } }
    }
    // Lost for good: this token will never be in the log. What stays costs only space.
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
    // A log may keep entries longer than it was asked to: their objects stay too, then.
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

  /** The entry with the payload that its own stands for. */
  async #resolve(entry: LogEntry, { signal: caller, urgent }: ReadLogOptions): Promise<LogEntry> {
    if (entry.payload?.[0] !== SPILLED_PAYLOAD_FORMAT) return entry
    const key = spillKey(this.#incarnation, entry.version, entry.token)
    const reference = decodeReference(entry.payload, `commit log entry ${entry.version}`)
    // What doesn't match is fetched once more, past whatever garbled it.
    for (let attempt = 1; attempt <= 2; attempt++) {
      let payload: Uint8Array
      try {
        const request = (signal: AbortSignal) => this.#store.get(key, { signal, urgent })
        payload = (await this.#reads.run({ request, signal: caller })).bytes
      } catch (error) {
        if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) throw error
        // Truncated since the entry was read?
        const now = await entryAt(this.#log, entry.version, { signal: caller })
        if (now !== undefined && now.payload === undefined) return now
        throw new CorruptionError(`${key}: the payload of entry ${entry.version} is missing`)
      }
      if (payload.length === reference.length && checksumOf(payload) === reference.checksum) {
        return { ...entry, payload }
      }
    }
    throw new CorruptionError(
      `${key}: not the payload that entry ${entry.version} was written with`,
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
