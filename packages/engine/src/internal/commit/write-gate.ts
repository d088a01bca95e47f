import { type Env, type FirnError, waitFor } from '@firn/env'
import { WriteStoppedError } from '../../errors.js'
import type { PendingTables } from './pending-tables.js'
import { type Hold, WriteHold } from './write-hold.js'
import type { WritePressure } from './write-pressure.js'

/**
 * The gate that each write passes. It waits for tables that are being dropped, for a transaction
 * that holds writes up, and for back pressure. Once the gate is closed, no write passes any more.
 */
export class WriteGate {
  readonly #pressure: WritePressure
  readonly #tables: PendingTables
  readonly #hold: WriteHold
  readonly #onStall: () => void
  readonly #ended: AbortController = new AbortController()
  #reason: FirnError | undefined

  /** `onStall`: called when a write begins to wait for back pressure. */
  constructor(env: Env, pressure: WritePressure, tables: PendingTables, onStall: () => void) {
    this.#pressure = pressure
    this.#tables = tables
    this.#hold = new WriteHold(env)
    this.#onStall = onStall
  }

  /** The reason why no write passes any more, if any. */
  get reason(): FirnError | undefined {
    return this.#reason
  }

  /** Aborts when the database is closed, not yet when writes are stopped. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Whether a write has to wait or is refused; `ready` finds out which. */
  get isHeldUp(): boolean {
    return (
      this.#reason !== undefined ||
      this.#tables.dropping !== undefined ||
      this.#hold.wait !== undefined ||
      this.#pressure.isBlocked
    )
  }

  /**
   * Resolves when a write may be made. Throws if no write may be made any more,
   * `WriteStalledError`, or the signal's reason; nothing is written then. `holds`: the write is the
   * one that others wait for.
   */
  async ready(signal?: AbortSignal, holds = false): Promise<void> {
    for (;;) {
      if (this.#reason !== undefined) throw this.#reason
      const others = this.#tables.dropping ?? (holds ? undefined : this.#hold.wait)
      if (others !== undefined) await waitFor(others, signal)
      else if (this.#pressure.isBlocked) await this.#stall(signal)
      else return
    }
  }

  /** Holds up all writes except those whose guard holds the others up. */
  hold(signal: AbortSignal | undefined): Promise<Hold> {
    return this.#hold.take(signal)
  }

  /** Closes the gate after a failure, which all waiting writers get. */
  stop(cause: unknown): void {
    this.#reason ??= new WriteStoppedError(cause)
    this.#hold.end()
    this.#pressure.end()
  }

  /** Closes the gate with the database. */
  close(reason: FirnError): void {
    this.#reason = reason
    this.#hold.end()
    this.#ended.abort(reason)
  }

  #stall(signal: AbortSignal | undefined): Promise<void> {
    const released = this.#pressure.wait(signal)
    this.#onStall()
    return released
  }
}
