import { utf8Encode } from '@firn/bytes'
import type { Batch } from '@firn/engine'
import { UsageError } from '../errors.js'
import { BadRowError } from './bad-row.js'
import type { KeyFields } from './key-fields.js'
import type { SourceRow } from './row-source.js'
import { assertAsWritten, memberText } from './source-text.js'
import { bytesOfDigits, keyOfJson, keyOfParts, valueOfJson } from './stored-form.js'
import type { Target, TargetTables } from './target-tables.js'

/** Puts a row into a batch, and returns the bytes of its key and value. */
export interface RowWriter {
  write(row: SourceRow, batch: Batch): number
}

/** Writes rows whose key is in some of their fields; the whole row is the value. */
export class RecordWriter implements RowWriter {
  readonly #target: Target
  readonly #key: KeyFields

  constructor(tables: TargetTables, table: string, key: KeyFields) {
    this.#key = key
    this.#target = tables.get(table)
    if (key.count > 1 && this.#target.encodings.keys !== 'tuple') {
      throw new UsageError(
        `several --key fields make a tuple, but the keys of table ${JSON.stringify(table)} are ${this.#target.encodings.keys}; load into another table`,
      )
    }
  }

  write({ record, json, bytes }: SourceRow, batch: Batch): number {
    const { table, encodings } = this.#target
    const key = keyOfParts(this.#key.of(record, json), encodings.keys)
    const value = bytes ?? utf8Encode(JSON.stringify(record))
    batch.put(table, key, value)
    return key.length + value.length
  }
}

interface KeyValueRow {
  key?: unknown
  value?: unknown
  table?: unknown
  options?: unknown
  encoding?: unknown
}

/** Writes rows of a key and a value, as `firn dump` prints them. */
export class KeyValueWriter implements RowWriter {
  readonly #tables: TargetTables
  readonly #table: string | undefined
  readonly #fallback: string
  readonly #digits: 'hex' | 'base64' | undefined
  #dumpedTable: string | undefined

  /** `table` takes all rows, whatever table they name; `fallback` takes rows that name none. */
  constructor(
    tables: TargetTables,
    options: {
      table: string | undefined
      fallback: string
      digits: 'hex' | 'base64' | undefined
    },
  ) {
    this.#tables = tables
    this.#table = options.table
    this.#fallback = options.fallback
    this.#digits = options.digits
  }

  write({ record, json }: SourceRow, batch: Batch): number {
    const row = record as KeyValueRow
    const has = (member: string): boolean => Object.hasOwn(row, member)
    if (!has('key') || !has('value')) {
      throw new BadRowError('no "key" and "value"; name the field of the key with --key <field>')
    }
    if (json !== undefined) assertAsWritten(json, ['key'], row.key)
    const target = this.#targetOf(row, has)
    const { keys, values } = target.encodings
    const digits = has('encoding') ? row.encoding : this.#digits
    const key =
      digits === undefined ? keyOfJson(row.key, keys) : bytesOfDigits(row.key, digits, '"key"')
    const value =
      digits === undefined
        ? valueOfJson(row.value, valueText(row.value, json), values)
        : bytesOfDigits(row.value, digits, '"value"')
    batch.put(target.table, key, value)
    return key.length + value.length
  }

  #targetOf(row: KeyValueRow, has: (member: string) => boolean): Target {
    const options = has('options') ? row.options : undefined
    if (!has('table')) return this.#tables.get(this.#table ?? this.#fallback, options)
    const { table } = row
    if (typeof table !== 'string') throw new BadRowError('"table" is not a string')
    if (this.#table === undefined) return this.#tables.get(table, options)
    this.#dumpedTable ??= table
    if (this.#dumpedTable !== table) {
      throw new UsageError(
        `the rows belong to several tables, which --table ${this.#table} would mix; leave out --table`,
      )
    }
    return this.#tables.get(this.#table, options)
  }
}

function valueText(value: unknown, json: string | undefined): string {
  return json === undefined ? JSON.stringify(value) : memberText(json, 'value')
}
