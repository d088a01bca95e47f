import type { TupleValue } from '@firn/bytes'
import type { At } from '../history.js'
import { bytesOfText, fillTuple, type KeyKind, type ValueKind } from './text-keys.js'

/**
 * Whether a client reuses its arrays and objects as soon as a call returns. A constant until the
 * engine copies everything at the call; with `false`, each call gets its own arrays and objects.
 */
const REUSES: boolean = true

/** Arguments of a client besides keys and values. */
export interface CallOptions {
  prefix?: string | undefined
  gt?: string | undefined
  gte?: string | undefined
  lt?: string | undefined
  lte?: string | undefined
  reverse?: boolean | undefined
  limit?: number | undefined
  at?: At
  fresh?: boolean | undefined
  durability?: 'durable' | 'buffered' | undefined
  isolation?: 'serializable' | 'snapshot' | undefined
  attempts?: number | undefined
  signal?: AbortSignal | undefined
}

const BOUNDS = ['prefix', 'gt', 'gte', 'lt', 'lte'] as const
/** Room for the arguments of the largest call. */
const ARENA_BYTES = 16_384
/** The byte that overwrites passed bytes: a letter that keys begin with. */
const SPOILT = 0x63

/**
 * The arrays and objects that a client passes to the database: one buffer for all bytes, one object
 * for all options, one list for all keys of a call. `spoil` changes them all. It is called right
 * after each call returns, before the call's promise is settled.
 */
export class ReusedInputs {
  #arena: Uint8Array = new Uint8Array(ARENA_BYTES)
  #used = 0
  #tuples: TupleValue[][] = []
  #usedTuples = 0
  #keys: unknown[] = []
  #options: Record<string, unknown> = {}
  #point: { version?: number; timestamp?: number } = {}
  #date: Date = new Date(0)

  /** Makes a call, and spoils its arguments afterwards. */
  pass<T>(call: (inputs: this) => T): T {
    try {
      return call(this)
    } finally {
      this.#spoil()
    }
  }

  key(kind: KeyKind, text: string): unknown {
    if (kind === 'utf8') return text
    if (kind === 'bytes') return this.#bytes(text)
    const tuple = this.#tuples[this.#usedTuples] ?? []
    this.#tuples[this.#usedTuples++] = tuple
    fillTuple(tuple, text, this.#bytes(text.slice(0, 1)))
    return tuple
  }

  keys(kind: KeyKind, texts: readonly string[]): unknown[] {
    for (const text of texts) this.#keys.push(this.key(kind, text))
    return this.#keys
  }

  value(kind: ValueKind, text: string): unknown {
    return kind === 'utf8' ? text : this.#bytes(text)
  }

  /** Returns options in the engine's form; `undefined` for none. Bounds are keys of this kind. */
  options(given: CallOptions | undefined, kind: KeyKind = 'utf8'): object | undefined {
    if (given === undefined) return undefined
    this.#clearOptions()
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined) this.#options[name] = value
    }
    for (const name of BOUNDS) {
      const text = given[name]
      if (text !== undefined) this.#options[name] = this.key(kind, text)
    }
    if (given.at !== undefined) this.#options['at'] = this.#moment(given.at)
    return this.#options
  }

  #moment(at: Exclude<At, undefined>): unknown {
    if ('dateMs' in at) {
      this.#date.setTime(at.dateMs)
      return this.#date
    }
    delete this.#point.version
    delete this.#point.timestamp
    return Object.assign(this.#point, at)
  }

  #bytes(text: string): Uint8Array {
    const bytes = bytesOfText(text)
    // Bytes that don't fit get an array of their own.
    if (this.#used + bytes.length > this.#arena.length) return bytes
    const own = this.#arena.subarray(this.#used, this.#used + bytes.length)
    own.set(bytes)
    this.#used += bytes.length
    return own
  }

  #spoil(): void {
    if (!REUSES) {
      this.#renew()
      return
    }
    this.#arena.fill(SPOILT, 0, this.#used)
    this.#used = 0
    for (const tuple of this.#tuples) tuple.fill('c')
    this.#usedTuples = 0
    this.#keys.length = 0
    this.#clearOptions()
    this.#options['limit'] = 1
    this.#options['durability'] = 'buffered'
    if (this.#point.version !== undefined) this.#point.version = 1
    if (this.#point.timestamp !== undefined) this.#point.timestamp = 1
    this.#date.setTime(0)
  }

  #renew(): void {
    this.#arena = this.#used > 0 ? new Uint8Array(ARENA_BYTES) : this.#arena
    this.#used = 0
    this.#tuples = []
    this.#usedTuples = 0
    this.#keys = []
    this.#options = {}
    this.#point = {}
    this.#date = new Date(0)
  }

  #clearOptions(): void {
    for (const name of Object.keys(this.#options)) delete this.#options[name]
  }
}
