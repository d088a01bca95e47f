import { Flight, InvalidArgumentError } from '@firn/env'
import type { S3Fifo } from './internal/s3-fifo.js'
import { type Load, MAX_FREQUENCY, type SlotTable } from './internal/slot-table.js'
import type { Sized } from './sized.js'

/**
 * Slots are meant to be the ordinals of a file's blocks: arrays are as long as the greatest slot.
 */
const MAX_SLOTS = 2 ** 26

/**
 * Loads a value. The signal, if there is one, aborts when no caller waits for the value any more.
 */
export type Loader<V> = (signal?: AbortSignal) => Promise<V>

export interface LoadOptions {
  /**
   * Whether the value is to stay in the cache. Default true; use false to read through (a
   * compaction, a big scan). If several callers share a load, the value stays if one of them wants
   * it.
   */
  fill?: boolean | undefined
  /** Rejects this caller alone; the load goes on while another caller waits for it. */
  signal?: AbortSignal | undefined
}

/**
 * The cached values of one file, by slot. Handles of one id are the same object; each `file()` call
 * needs one `close()`.
 */
export class CachedFile<V extends Sized> {
  readonly id: string
  readonly #table: SlotTable
  readonly #policy: S3Fifo
  readonly #closed: (table: SlotTable) => void

  /** @internal Made by `BlockCache.file`. */
  constructor(table: SlotTable, policy: S3Fifo, closed: (table: SlotTable) => void) {
    this.id = table.id
    this.#table = table
    this.#policy = policy
    this.#closed = closed
  }

  /**
   * Returns the value if it is resident. Costs an array read and, while a slot warms up, storing a
   * byte.
   */
  peek(slot: number): V | undefined {
    const table = this.#table
    const value = table.values[slot]
    if (value === undefined) return undefined
    const frequency = table.frequencies[slot] as number // As long as `values`.
    if (frequency < MAX_FREQUENCY) table.frequencies[slot] = frequency + 1
    table.hits++
    return value as V
  }

  /** Whether the value is resident; doesn't count as a use. */
  has(slot: number): boolean {
    return this.#table.values[slot] !== undefined
  }

  /**
   * Returns the value from memory or from `loader`. Concurrent calls for one slot share one load; a
   * failed load rejects them all and leaves nothing behind. The value may be evicted as soon as
   * this resolves (it may exceed the budget): use the returned value, don't look again.
   *
   * `loader` gets a signal if its first caller has one; the signal aborts once no caller is left.
   */
  load(slot: number, loader: Loader<V>, options: LoadOptions = {}): Promise<V> {
    const { signal, fill = true } = options
    if (!Number.isInteger(slot) || slot < 0 || slot >= MAX_SLOTS) {
      return Promise.reject(
        new InvalidArgumentError(`slot ${slot} of ${this.id} is not in 0 … ${MAX_SLOTS - 1}`),
      )
    }
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const resident = this.peek(slot)
    if (resident !== undefined) return Promise.resolve(resident)
    const table = this.#table
    let load = table.loads.get(slot) as Load<V> | undefined
    if (load === undefined) {
      table.misses++
      load = this.#start(slot, loader, fill, signal !== undefined)
    } else {
      table.joins++
      if (fill) load.fill = true
    }
    return load.flight.join(signal)
  }

  /**
   * Keeps the slot's value from being evicted, from now or from when it is loaded. Pins are
   * counted. Pinned bytes are part of the budget, and the only values that may exceed it.
   */
  pin(slot: number): void {
    const table = this.#table
    const pins = table.pins.get(slot) ?? 0
    table.pins.set(slot, pins + 1)
    const entry = table.entries[slot]
    if (pins === 0 && entry !== undefined) this.#policy.pin(entry)
  }

  /** Removes one pin. Throws `InvalidArgumentError` if there is none. */
  unpin(slot: number): void {
    const table = this.#table
    const pins = table.pins.get(slot)
    if (pins === undefined) {
      throw new InvalidArgumentError(`slot ${slot} of ${this.id} is not pinned`)
    }
    if (pins > 1) {
      table.pins.set(slot, pins - 1)
      return
    }
    table.pins.delete(slot)
    const entry = table.entries[slot]
    if (entry !== undefined) this.#policy.unpin(entry)
  }

  /**
   * Forgets the slot's value, or all values, pinned or not: for content that turned out to be
   * damaged or isn't needed any more. Pins stay; loads under way finish, but leave nothing here.
   */
  evict(slot?: number): void {
    const table = this.#table
    if (slot === undefined) {
      for (const load of table.loads.values()) load.fill = false
      table.loads.clear()
      for (const entry of table.entries) if (entry !== undefined) this.#policy.remove(entry)
      return
    }
    const load = table.loads.get(slot)
    if (load !== undefined) {
      load.fill = false
      table.loads.delete(slot)
    }
    const entry = table.entries[slot]
    if (entry !== undefined) this.#policy.remove(entry)
  }

  /**
   * Closes one handle. Values stay for the next handle on the file, until they are evicted. With
   * `drop`, they are removed at once if this was the last handle (the file was deleted).
   */
  close(options: { drop?: boolean } = {}): void {
    const table = this.#table
    if (table.references > 0) table.references--
    if (table.references > 0) return
    for (const slot of [...table.pins.keys()]) {
      table.pins.set(slot, 1)
      this.unpin(slot)
    }
    if (options.drop === true) this.evict()
    if (table.residents === 0) this.#closed(table)
  }

  #start(slot: number, loader: Loader<V>, fill: boolean, abortable: boolean): Load<V> {
    const { loads } = this.#table
    const forget = (): void => {
      if ((loads.get(slot) as unknown) === load) loads.delete(slot)
    }
    const work = async (signal: AbortSignal | undefined): Promise<V> => {
      try {
        const value = await loader(signal)
        this.#land(slot, load, value)
        return value
      } finally {
        forget()
      }
    }
    const load: Load<V> = { flight: new Flight(work, { abortable, onAbandoned: forget }), fill }
    loads.set(slot, load)
    return load
  }

  /** Stores a value before any caller sees it. */
  #land(slot: number, load: Load<V>, value: V): void {
    const table = this.#table
    const { memoryBytes } = value
    if (!(memoryBytes >= 0 && memoryBytes < Number.POSITIVE_INFINITY)) {
      throw new InvalidArgumentError(`a cached value's memoryBytes is ${memoryBytes}`)
    }
    // A load that was removed from the list (abandoned, evicted) has lost its claim to the slot.
    if (!load.fill || (table.loads.get(slot) as unknown) !== load) return
    if (table.references === 0 || table.values[slot] !== undefined) return
    this.#policy.admit(table, slot, value)
  }
}
