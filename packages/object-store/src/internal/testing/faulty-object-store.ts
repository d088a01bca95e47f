import { type Env, systemEnv } from '@firn/env'
import { resolveRange } from '../../byte-range.js'
import { ObjectStoreError } from '../../errors.js'
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  StoredObject,
  Upload,
  UploadOptions,
} from '../../object-store.js'
import { FAULT_KINDS, type FaultKind, type FaultOperation, type FaultSchedule } from './fault.js'

export type FaultCounts = Readonly<Record<FaultKind, number>> & {
  /** All calls, with or without a fault. */
  readonly calls: number
  /** Late writes and deletes ('late-apply') that have been done, or refused by their condition. */
  readonly landed: number
}

const NO_FAULTS: FaultSchedule = () => undefined
const READ_FAULTS: ReadonlySet<FaultKind> = new Set([
  'short-reply',
  'long-reply',
  'other-object',
  'bit-flip',
  'truncate',
])
const WRITES: ReadonlySet<FaultOperation> = new Set(['put', 'delete', 'uploadFinish'])
const REMEMBERED_KEYS = 16

/**
 * Wraps another store and injects faults like those of networks, services and disks. Calls without
 * a fault behave like the store's own. A fault that makes no sense for a call (a short reply to a
 * delete) doesn't happen and isn't counted.
 */
export class FaultyObjectStore implements ObjectStore {
  readonly #store: ObjectStore
  readonly #env: Env
  #schedule: FaultSchedule
  #calls = 0
  #landed = 0
  readonly #counts = new Map<FaultKind, number>()
  /** Keys of recent objects, whose bytes a reply could have instead. */
  readonly #keys = new Set<string>()
  readonly #underway = new Set<Promise<void>>()

  constructor(store: ObjectStore, schedule: FaultSchedule = NO_FAULTS, env: Env = systemEnv) {
    this.#store = store
    this.#schedule = schedule
    this.#env = env
  }

  /** Counts so far. */
  get counts(): FaultCounts {
    const counts = Object.fromEntries(
      FAULT_KINDS.map((kind) => [kind, this.#counts.get(kind) ?? 0]),
    ) as Record<FaultKind, number>
    return { ...counts, calls: this.#calls, landed: this.#landed }
  }

  /** Replaces the schedule. Without one, no faults happen. */
  setSchedule(schedule: FaultSchedule = NO_FAULTS): void {
    this.#schedule = schedule
  }

  /** Resolves when no delayed request is under way. */
  async landed(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway)
  }

  async get(key: string, options: GetOptions = {}): Promise<StoredObject> {
    const { object, damage } = await this.#call('get', key, options.signal, async (kind) => ({
      object: await this.#store.get(key, options),
      damage: kind,
    }))
    this.#remember(key)
    return damage === undefined ? object : this.#damaged(object, damage, options)
  }

  head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#call('head', key, options.signal, () => this.#store.head(key, options))
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<{ etag: string }> {
    const done = await this.#call(
      'put',
      key,
      options.signal,
      (damage) =>
        this.#store.put(
          key,
          damage === undefined ? bytes : this.#damagedCopy(bytes, damage),
          options,
        ),
      // A delayed request has its own copy of the bytes, as the network would.
      () => {
        const copy = new Uint8Array(bytes)
        return () => this.#store.put(key, copy, { ...options, signal: undefined })
      },
    )
    this.#remember(key)
    return done
  }

  delete(keys: string | readonly string[], options: CallOptions = {}): Promise<void> {
    const first = typeof keys === 'string' ? keys : (keys?.[0] ?? '')
    return this.#call(
      'delete',
      first,
      options.signal,
      () => this.#store.delete(keys, options),
      () => () => this.#store.delete(keys),
    )
  }

  /** Faults happen at the start of a list, except 'lost-reply', which ends it after one object. */
  async *list(options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    let cut: FaultKind | undefined
    try {
      await this.#call('list', options.prefix ?? '', options.signal, async () => {})
    } catch (error) {
      if (!(error instanceof LostReply)) throw error
      cut = 'lost-reply'
    }
    for await (const info of this.#store.list(options)) {
      yield info
      if (cut !== undefined) throw new LostReply()
    }
    if (cut !== undefined) throw new LostReply()
  }

  async upload(key: string, options: UploadOptions = {}): Promise<Upload> {
    const { signal } = options
    const start = async () => ({ started: await this.#store.upload(key, options) })
    const { started } = await this.#call('upload', key, signal, start)
    return {
      write: (bytes) =>
        this.#call('uploadWrite', key, signal, (damage) =>
          started.write(damage === undefined ? bytes : this.#damagedCopy(bytes, damage)),
        ),
      finish: () =>
        this.#call(
          'uploadFinish',
          key,
          signal,
          () => started.finish(),
          () => () => started.finish(),
        ),
      abort: () => started.abort(),
    }
  }

  async close(): Promise<void> {
    await this.landed()
    await this.#store.close()
  }

  /**
   * Makes one call. `run` gets the kind of damage to do, if any; `prepareLate` returns the action
   * of a delayed request.
   */
  async #call<T>(
    operation: FaultOperation,
    key: string,
    signal: AbortSignal | undefined,
    run: (damage: FaultKind | undefined) => Promise<T>,
    prepareLate?: () => () => Promise<unknown>,
  ): Promise<T> {
    this.#calls++
    signal?.throwIfAborted()
    const fault = this.#schedule({ operation, key })
    if (fault === undefined) return run(undefined)
    const { kind } = fault
    if (READ_FAULTS.has(kind)) {
      const stored = kind === 'bit-flip' || kind === 'truncate'
      const fits =
        operation === 'get' || (stored && (operation === 'put' || operation === 'uploadWrite'))
      if (!fits) return run(undefined)
      this.#count(kind)
      return run(kind)
    }
    this.#count(kind)
    switch (kind) {
      case 'throttle':
        throw new ObjectStoreError('injected fault: 503 SlowDown', {
          reason: 'throttled',
          retryable: true,
        })
      case 'lost-reply':
        await run(undefined)
        throw new LostReply()
      case 'hang':
        return hang(signal)
      case 'late-apply':
        if (prepareLate !== undefined && WRITES.has(operation)) {
          this.#applyLater(prepareLate(), fault.delayMs ?? 100)
        }
        throw unreachable()
      default:
        throw unreachable()
    }
  }

  #applyLater(apply: () => Promise<unknown>, delayMs: number): void {
    const landing = this.#env
      .sleep(delayMs)
      .then(apply)
      // No caller waits for the answer. A condition that fails by now is a normal outcome.
      .catch(() => {})
      .then(() => {
        this.#landed++
        this.#underway.delete(landing)
      })
    this.#underway.add(landing)
  }

  async #damaged(
    object: StoredObject,
    kind: FaultKind,
    options: GetOptions,
  ): Promise<StoredObject> {
    const { bytes } = object
    switch (kind) {
      case 'short-reply':
        return { ...object, bytes: bytes.slice(0, this.#below(bytes.length)) }
      case 'long-reply': {
        const longer = new Uint8Array(bytes.length + 1 + this.#below(16))
        longer.set(this.#env.randomBytes(longer.length))
        longer.set(bytes)
        return { ...object, bytes: longer }
      }
      case 'other-object':
        return { ...object, bytes: await this.#otherBytes(object, options) }
      case 'truncate': {
        const size = this.#below(object.size)
        const { start, end } = resolveRange(options.range, size)
        const from = Math.min(Math.max(0, start - object.offset), bytes.length)
        const cut = bytes.slice(from, Math.min(bytes.length, from + end - start))
        return { ...object, size, bytes: cut, offset: start }
      }
      default:
        return { ...object, bytes: this.#damagedCopy(bytes, kind) }
    }
  }

  /** Returns the same range of another object, of the same length if possible. */
  async #otherBytes(object: StoredObject, options: GetOptions): Promise<Uint8Array> {
    for (const key of this.#keys) {
      if (key === object.key) continue
      try {
        const range = { start: object.offset, end: object.offset + object.bytes.length }
        const other = await this.#store.get(key, { range, signal: options.signal })
        if (other.bytes.length > 0) return other.bytes
      } catch {
        options.signal?.throwIfAborted()
        this.#keys.delete(key)
      }
    }
    return this.#env.randomBytes(object.bytes.length)
  }

  #damagedCopy(bytes: Uint8Array, kind: FaultKind): Uint8Array {
    if (kind === 'truncate') return bytes.slice(0, this.#below(bytes.length))
    const copy = new Uint8Array(bytes)
    const bit = this.#below(bytes.length * 8)
    const at = Math.floor(bit / 8)
    if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8))
    return copy
  }

  /** A random integer from 0 to `bound - 1`; 0 if there is none. */
  #below(bound: number): number {
    return Math.floor(this.#env.random() * Math.max(0, bound))
  }

  #remember(key: string): void {
    this.#keys.delete(key)
    this.#keys.add(key)
    for (const oldest of this.#keys) {
      if (this.#keys.size <= REMEMBERED_KEYS) break
      this.#keys.delete(oldest)
    }
  }

  #count(kind: FaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }
}

class LostReply extends ObjectStoreError {
  constructor() {
    super('injected fault: the connection broke before the reply', {
      reason: 'unavailable',
      retryable: true,
    })
  }
}

function unreachable(): ObjectStoreError {
  return new ObjectStoreError('injected fault: the connection broke', {
    reason: 'unavailable',
    retryable: true,
  })
}

function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
