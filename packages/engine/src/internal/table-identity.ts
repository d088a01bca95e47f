import type { DatabaseState } from '@firn/manifest'
import type { Encoding } from '../encoding.js'
import {
  assertCompatible,
  assertTableName,
  assertTableOptions,
  encodingsOf,
  type TableOptions,
} from '../table-options.js'

/** A table as its user named it: name, options, and the encodings that follow from both. */
export class TableIdentity {
  readonly name: string
  readonly #options: TableOptions<never, never>
  keys: Encoding<never>
  values: Encoding<never>
  #id: number | undefined

  /** Throws `InvalidArgumentError` or `TableOptionsError` for a name or options that can't be. */
  constructor(name: string, options: TableOptions<never, never>) {
    assertTableName(name)
    assertTableOptions(options)
    this.name = name
    this.#options = options
    const encodings = encodingsOf(name, options, undefined)
    this.keys = encodings.keys
    this.values = encodings.values
  }

  /** What the table is created with, where it doesn't exist yet. */
  get creationOptions(): TableOptions<never, never> {
    return this.#options
  }

  /** The table's id in a state; `undefined` where it has no such table (yet). */
  idIn(state: DatabaseState): number | undefined {
    const id = state.tableIds.get(this.name)
    if (id !== undefined && id !== this.#id) this.#adopt(id, state)
    return id
  }

  /** The same table, with keys and values as they are stored. */
  asBytes(): TableIdentity {
    return new RawTableIdentity(this)
  }

  #adopt(id: number, state: DatabaseState): void {
    const persisted = state.tables.get(id)?.options
    if (persisted !== undefined) {
      assertCompatible(this.name, this.#options, persisted)
      const encodings = encodingsOf(this.name, this.#options, persisted)
      this.keys = encodings.keys
      this.values = encodings.values
    }
    this.#id = id
  }
}

/** Looks past a table's encodings. Creates the table, where it must, with its owner's options. */
class RawTableIdentity extends TableIdentity {
  readonly #typed: TableIdentity

  constructor(typed: TableIdentity) {
    super(typed.name, { keys: 'bytes', values: 'bytes' })
    this.#typed = typed
  }

  override get creationOptions(): TableOptions<never, never> {
    return this.#typed.creationOptions
  }

  override idIn(state: DatabaseState): number | undefined {
    return this.#typed.idIn(state)
  }
}
