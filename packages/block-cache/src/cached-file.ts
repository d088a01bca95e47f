import { Flight, InvalidArgumentError } from '@firn/env'
import type { S3Fifo } from './internal/s3-fifo.js'
import { type Load, MAX_FREQUENCY, type SlotTable } from './internal/slot-table.js'
import type { Sized } from './sized.js'

/** Slots are meant to be the ordinals of a file's blocks: arrays are as long as the greatest. */
const MAX_SLOTS = 2 ** 26

/** Loads a value; the signal, where there is one, aborts when nobody waits for it any more. */
export type Loader<V> = (signal?: AbortSignal) => Promise<V>

export interface LoadOptions {
  /**
   * Whether the value is to stay in the cache. Default true; false is for one who reads through
   * (a compaction, a big scan). A flight that one caller wants filled is filled.
   */
  fill?: boolean | undefined
  /** Rejects this caller alone; the load goes on while anybody waits for it. */
  signal?: AbortSignal | undefined
}

/**
 * The cached values of one file, by slot. Handles of one id are the same object; each `file()` call
 * owes one `close()`.
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

  /** The value, if it is resident: an array read and, while a slot warms up, a store of a byte. */
  peek(slot: number): V | undefined {
    const table = this.#table
    const value = table.values[slot]
    if (value === undefined) return undefined
    const frequency = table.frequencies[slot] as number // As long as `values`.
    if (frequency < MAX_FREQUENCY) table.frequencies[slot] = frequency + 1
    table.hits++
    return value as V
  }

  /** Whether the value is resident, without counting as a use of it. */
  has(slot: number): boolean {
    return this.#table.values[slot] !== undefined
  }

  /**
   * The value, from memory or from `loader`. Callers that ask for one slot at the same time share
   * one load; a load that fails rejects them all and leaves nothing behind. The value may be gone
   * from the cache as soon as this resolves (it may weigh more than the budget): use what is
   * returned, don't look again.
   *
   * `loader` gets a signal when its first caller has one; it aborts once no caller is left.
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
   * counted. Pinned bytes are part of the budget, and the only ones that may exceed it.
   */
  pin(slot: number): void {
    const table = this.#table
    const pins = table.pins.get(slot) ?? 0
    table.pins.set(slot, pins + 1)
    const entry = table.entries[slot]
    if (pins === 0 && entry !== undefined) this.#policy.pin(entry)
  }

  /** Takes one pin away. Throws `InvalidArgumentError` where there is none. */
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
   * Forgets the slot's value, or all of them, pinned or not: for content that turned out to be
   * damaged, or isn't needed by anyone. Pins stay; loads under way finish, but leave nothing here.
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
   * Ends one handle. Values stay for whoever opens the file next, until they are evicted; with
   * `drop` they leave at once if this was the last handle (the file was deleted).
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

  /** Keeps a value before any caller sees it. */
  #land(slot: number, load: Load<V>, value: V): void {
    const table = this.#table
    const { memoryBytes } = value
    if (!(memoryBytes >= 0 && memoryBytes < Number.POSITIVE_INFINITY)) {
      throw new InvalidArgumentError(`a cached value's memoryBytes is ${memoryBytes}`)
    }
    // A load that was taken off the list (abandoned, evicted) has lost its claim to the slot.
    if (!load.fill || (table.loads.get(slot) as unknown) !== load) return
    if (table.references === 0 || table.values[slot] !== undefined) return
    this.#policy.admit(table, slot, value)
  }
}
