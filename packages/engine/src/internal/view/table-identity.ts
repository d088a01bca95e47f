import type { DatabaseState, Edit, TableOptionsState } from '@firn/manifest'
import { type Encoding, isBytes, makesFreshArrays } from '../../encoding.js'
import type { TableOptions } from '../../table-options.js'
import type { KeyedTable } from '../arguments/keys.js'
import {
  assertCompatible,
  assertTableName,
  encodingsOf,
  persistedOptions,
  type TakenTableOptions,
  takeTableOptions,
} from '../arguments/table-options.js'

/** A table as its user named it: name, options, and the encodings that follow from them. */
export class TableIdentity implements KeyedTable {
  readonly name: string
  readonly #options: TakenTableOptions
  keys: Encoding<never>
  values: Encoding<never>
  /**
   * True if encoding a value may change the array that a key was encoded to: an encoding of the
   * user's own may write both to one array.
   */
  valuesMayOverwriteKeys: boolean
  #id: number | undefined

  /** Throws `InvalidArgumentError` or `TableOptionsError` for an invalid name or options. */
  constructor(name: string, options: TableOptions<never, never>) {
    assertTableName(name)
    this.name = name
    this.#options = takeTableOptions(options)
    const encodings = encodingsOf(name, this.#options, undefined)
    this.keys = encodings.keys
    this.values = encodings.values
    this.valuesMayOverwriteKeys = mayOverwrite(this.values, this.keys)
  }

  /** The options that the table is created with, if it doesn't exist yet. */
  get creationOptions(): TableOptionsState {
    return persistedOptions(this.#options)
  }

  /** Returns the edit that creates the table. */
  creation(id: number): Edit {
    return { type: 'create-table', id, name: this.name, options: this.creationOptions }
  }

  /** Throws `TableOptionsError` if given options contradict those of the table. */
  assertCompatible(persisted: TableOptionsState): void {
    assertCompatible(this.name, this.#options, persisted)
  }

  get keysAreFixed(): boolean {
    return this.#options.encodings.keys !== undefined
  }

  get isKnown(): boolean {
    return this.#id !== undefined
  }

  /** Returns the table's id in a state; `undefined` if the state doesn't have the table. */
  idIn(state: DatabaseState): number | undefined {
    const id = state.tableIds.get(this.name)
    if (id !== undefined && id !== this.#id) this.#adopt(id, state)
    return id
  }

  /** Returns this table with keys and values as they are stored. */
  asBytes(): TableIdentity {
    return new RawTableIdentity(this)
  }

  #adopt(id: number, state: DatabaseState): void {
    const persisted = state.tables.get(id)?.options
    if (persisted !== undefined) {
      this.assertCompatible(persisted)
      const encodings = encodingsOf(this.name, this.#options, persisted)
      this.keys = encodings.keys
      this.values = encodings.values
      this.valuesMayOverwriteKeys = mayOverwrite(this.values, this.keys)
    }
    this.#id = id
  }
}

function mayOverwrite(values: Encoding<never>, keys: Encoding<never>): boolean {
  return !isBytes(values) && !makesFreshArrays(values) && !makesFreshArrays(keys)
}

/**
 * A table without its encodings. If it must create the table, it uses the original handle's
 * options.
 */
class RawTableIdentity extends TableIdentity {
  readonly #typed: TableIdentity

  constructor(typed: TableIdentity) {
    super(typed.name, { keys: 'bytes', values: 'bytes' })
    this.#typed = typed
  }

  override get creationOptions(): TableOptionsState {
    return this.#typed.creationOptions
  }

  override assertCompatible(persisted: TableOptionsState): void {
    this.#typed.assertCompatible(persisted)
  }

  override idIn(state: DatabaseState): number | undefined {
    return this.#typed.idIn(state)
  }
}
