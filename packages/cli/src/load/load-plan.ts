import type { Database } from '@firn/engine'
import { DEFAULT_TABLE } from '../command-context.js'
import { UsageError } from '../errors.js'
import { type ByteFormatOptions, byteFormatOf, type EncodingOptions } from '../option-parsers.js'
import { csvSource, shortened } from './csv-source.js'
import type { InputFile } from './input-file.js'
import { jsonlSource } from './jsonl-source.js'
import { KeyFields } from './key-fields.js'
import { type Format, formatOf, type RowSource } from './row-source.js'
import { KeyValueWriter, RecordWriter, type RowWriter } from './row-writer.js'
import { TargetTables } from './target-tables.js'
import { textOf } from './text-input.js'

/** Options that say how a file is read and where its rows go. */
export interface LoadOptions extends ByteFormatOptions, EncodingOptions {
  format?: Format
  key?: string[]
  header: boolean
  delimiter?: string
  skipBad?: boolean
  /** In MiB. */
  maxRecord?: number
}

/** Far more than a usual record has, and a limit to what a file in the wrong format can cost. */
const MAX_RECORD_MIB = 64
/**
 * More than a line with the engine's largest value as Base64 has, and less than a string may have.
 */
const LARGEST_RECORD_MIB = 400
const MIB = 1024 * 1024

/** Returns the format of the file. Throws `UsageError` for options that contradict each other. */
export function planFormat(file: string, options: LoadOptions): Format {
  const digits = byteFormatOf(options)
  if (digits !== 'text' && options.key !== undefined) {
    throw new UsageError(`--${digits} is for records of a key and a value; leave out --key`)
  }
  const format = options.format ?? (file === '-' ? undefined : formatOf(file)) ?? 'jsonl'
  if (format === 'jsonl' && (options.delimiter !== undefined || !options.header)) {
    throw new UsageError('--delimiter and --no-header are for CSV and TSV; use --format csv')
  }
  if (options.delimiter !== undefined && [...options.delimiter].length !== 1) {
    throw new UsageError('--delimiter must be one character')
  }
  if (options.delimiter !== undefined && /["\r\n]/.test(options.delimiter)) {
    throw new UsageError('--delimiter can’t be a quote or a line break; use another character')
  }
  const { maxRecord = MAX_RECORD_MIB } = options
  if (maxRecord < 1 || maxRecord > LARGEST_RECORD_MIB) {
    throw new UsageError(`--max-record must be 1 to ${LARGEST_RECORD_MIB}, in MiB`)
  }
  if (format !== 'jsonl' && !options.header && options.key === undefined) {
    throw new UsageError('without a header, name the key’s column by its number, as in --key 1')
  }
  return format
}

/** Returns the tables that rows can go to, with the encodings of tables to create. */
export function planTables(
  database: Database,
  format: Format,
  options: LoadOptions,
): Promise<TargetTables> {
  const { keys, values } = options
  // Digits may stand for any bytes; the columns key and value of a CSV file are text.
  const plain = byteFormatOf(options) === 'text' ? undefined : 'bytes'
  const textual = format !== 'jsonl' && options.key === undefined
  return TargetTables.of(
    database,
    { keys, values },
    {
      keys: plain ?? ((options.key?.length ?? 0) > 1 ? 'tuple' : 'utf8'),
      values: plain ?? (textual ? 'utf8' : 'json'),
    },
  )
}

/** Returns the writer of the rows. `table` is the name from the command line, if there is one. */
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

/**
 * Reads the rows of the file. Throws `CommandError` with the code `FIRN_BAD_INPUT` before the first
 * row if the file isn't text.
 */
export async function* planSource(
  input: InputFile,
  format: Format,
  options: LoadOptions,
): RowSource {
  const maxRecordBytes = (options.maxRecord ?? MAX_RECORD_MIB) * MIB
  const text = await textOf(input)
  if (format === 'jsonl') {
    yield* jsonlSource(text, maxRecordBytes)
    return
  }
  yield* csvSource(text, {
    delimiter: options.delimiter ?? (format === 'csv' ? ',' : '\t'),
    quotes: format === 'csv',
    header: options.header,
    maxRecordBytes,
    onColumns: (columns) => assertKeyColumns(columns, options, input.name),
  })
}

/** Checked once before the first row, not once per row. */
function assertKeyColumns(columns: readonly string[], options: LoadOptions, name: string): void {
  const wanted = options.key ?? ['key', 'value']
  const missing = wanted.find((column) => !columns.includes(column))
  if (missing === undefined) return
  // Without a header, or with another delimiter, a name may be as long as a line.
  const there = columns.slice(0, 20).map(shortened).join(', ')
  throw new UsageError(
    options.key === undefined
      ? `${name}: the key’s column is unknown; name it with --key; the columns are ${there}`
      : `${name}: no column ${JSON.stringify(missing)}; the columns are ${there}`,
  )
}
