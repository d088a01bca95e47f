import type { Database } from '@firn/engine'
import { DEFAULT_TABLE } from '../command-context.js'
import { UsageError } from '../errors.js'
import { type ByteFormatOptions, byteFormatOf, type EncodingOptions } from '../option-parsers.js'
import { csvSource } from './csv-source.js'
import type { InputFile } from './input-file.js'
import { jsonlSource } from './jsonl-source.js'
import { KeyFields } from './key-fields.js'
import { type Format, formatOf, type RowSource } from './row-source.js'
import { KeyValueWriter, RecordWriter, type RowWriter } from './row-writer.js'
import { TargetTables } from './target-tables.js'

/** What the command line says of how a file is read and where its rows go. */
export interface LoadOptions extends ByteFormatOptions, EncodingOptions {
  format?: Format
  key?: string[]
  header: boolean
  delimiter?: string
  skipBad?: boolean
}

/** Throws `UsageError` for options that contradict each other; gives the format of the file. */
export function planFormat(file: string, options: LoadOptions): Format {
  const digits = byteFormatOf(options)
  if (digits !== 'text' && options.key !== undefined) {
    throw new UsageError(`--${digits} is for records of a key and a value; leave out --key`)
  }
  const format = options.format ?? (file === '-' ? undefined : formatOf(file)) ?? 'jsonl'
  if (format === 'jsonl' && (options.delimiter !== undefined || !options.header)) {
    throw new UsageError('--delimiter and --no-header are for CSV and TSV; say --format csv')
  }
  if (options.delimiter !== undefined && [...options.delimiter].length !== 1) {
    throw new UsageError('--delimiter is one character')
  }
  if (format !== 'jsonl' && !options.header && options.key === undefined) {
    throw new UsageError('without a header, --key says which column is the key: --key 1')
  }
  return format
}

/** The tables that rows can go to, and the encodings of those that are made. */
export function planTables(
  database: Database,
  format: Format,
  options: LoadOptions,
): Promise<TargetTables> {
  const { keys, values } = options
  const chosen = {
    ...(keys === undefined ? {} : { keys }),
    ...(values === undefined ? {} : { values }),
  }
  // Digits may stand for any bytes; the columns key and value of a CSV file are text.
  const plain = byteFormatOf(options) === 'text' ? undefined : 'bytes'
  const textual = format !== 'jsonl' && options.key === undefined
  return TargetTables.of(database, chosen, {
    keys: plain ?? ((options.key?.length ?? 0) > 1 ? 'tuple' : 'utf8'),
    values: plain ?? (textual ? 'utf8' : 'json'),
  })
}

/** What becomes of a row. `table` is the one that the command line names. */
export function planRows(
  targets: TargetTables,
  options: LoadOptions,
  table: string | undefined,
): RowWriter {
  if (options.key !== undefined) {
    return new RecordWriter(targets, table ?? DEFAULT_TABLE, new KeyFields(options.key))
  }
  const format = byteFormatOf(options)
  return new KeyValueWriter(targets, {
    table,
    fallback: DEFAULT_TABLE,
    digits: format === 'text' ? undefined : format,
  })
}

/** The rows of the file. */
export function planSource(input: InputFile, format: Format, options: LoadOptions): RowSource {
  if (format === 'jsonl') return jsonlSource(input.chunks())
  return csvSource(input.chunks(), {
    delimiter: options.delimiter ?? (format === 'csv' ? ',' : '\t'),
    quotes: format === 'csv',
    header: options.header,
    onColumns: (columns) => assertKeyColumns(columns, options, input.name),
  })
}

/** Found out before the first row, not once per row. */
function assertKeyColumns(columns: readonly string[], options: LoadOptions, name: string): void {
  const wanted = options.key ?? ['key', 'value']
  const missing = wanted.find((column) => !columns.includes(column))
  if (missing === undefined) return
  const there = columns.slice(0, 20).join(', ')
  throw new UsageError(
    options.key === undefined
      ? `${name}: which column is the key? Name it with --key; there are ${there}`
      : `${name}: no column ${JSON.stringify(missing)}; there are ${there}`,
  )
}
