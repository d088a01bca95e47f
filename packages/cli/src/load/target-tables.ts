import type { Database, HistoryRetention } from '@firn/engine'
import { type StoredTable, storedBytes } from '../database-access.js'
import { CommandError } from '../errors.js'
import type { EncodingNames } from '../text/table-text.js'
import { BadRowError } from './bad-row.js'

/** A table that rows go to. */
export interface Target {
  table: StoredTable
  encodings: EncodingNames
}

/** Encodings that the caller chose; `undefined`: not chosen. */
type ChosenEncodings = { readonly [R in keyof EncodingNames]: EncodingNames[R] | undefined }

/** Options of a table, from its first row in a dump. */
interface DumpedOptions extends Partial<EncodingNames> {
  history?: HistoryRetention
  compression?: 'none' | 'lz4' | 'deflate'
}

/** The tables that a load writes to. The first row of a table that doesn't exist creates it. */
export class TargetTables {
  readonly #database: Database
  readonly #existing: Map<string, EncodingNames>
  readonly #chosen: ChosenEncodings
  readonly #defaults: EncodingNames
  readonly #targets: Map<string, Target> = new Map()

  private constructor(
    database: Database,
    existing: Map<string, EncodingNames>,
    chosen: ChosenEncodings,
    defaults: EncodingNames,
  ) {
    this.#database = database
    this.#existing = existing
    this.#chosen = chosen
    this.#defaults = defaults
  }

  /**
   * `chosen` are encodings that the user asked for; `defaults` are those of new tables otherwise.
   */
  static async of(
    database: Database,
    chosen: ChosenEncodings,
    defaults: EncodingNames,
  ): Promise<TargetTables> {
    const tables = await database.tables()
    const existing = new Map(tables.map(({ name, keys, values }) => [name, { keys, values }]))
    return new TargetTables(database, existing, chosen, defaults)
  }

  /** Names of the tables that rows were for. */
  get names(): string[] {
    return [...this.#targets.keys()]
  }

  /**
   * `dumped` comes with the first row of a table in a dump. Its options are for tables that are
   * created; the encodings of an existing table must be the same.
   */
  get(name: string, dumped?: unknown): Target {
    const known = this.#targets.get(name)
    if (known !== undefined && dumped === undefined) return known
    const options = dumped === undefined ? {} : dumpedOptions(dumped)
    const existing = known?.encodings ?? this.#existing.get(name)
    if (existing !== undefined) assertSame(name, existing, options)
    if (known !== undefined) return known
    const encodings = {
      keys: this.#chosen.keys ?? existing?.keys ?? options.keys ?? this.#defaults.keys,
      values: this.#chosen.values ?? existing?.values ?? options.values ?? this.#defaults.values,
    }
    const { history, compression } = options
    const table = this.#database.table<Uint8Array, Uint8Array>(name, {
      ...storedBytes(encodings),
      history: existing === undefined ? history : undefined,
      compression: existing === undefined ? compression : undefined,
    })
    const target = { table, encodings }
    this.#targets.set(name, target)
    return target
  }
}

function dumpedOptions(options: unknown): DumpedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BadRowError('"options" is not an object')
  }
  return options
}

function assertSame(name: string, existing: EncodingNames, dumped: DumpedOptions): void {
  for (const role of ['keys', 'values'] as const) {
    const other = dumped[role]
    if (other === undefined || other === existing[role]) continue
    throw new CommandError(
      'FIRN_TABLE_OPTIONS',
      `the rows come from a table with ${other} ${role}, but table ${JSON.stringify(name)} has ${existing[role]} ${role}; load them into another table with --table`,
    )
  }
}
