import { isUtf8 } from 'node:buffer'
import { pipeline, Readable } from 'node:stream'
import { type CsvError, parse } from 'csv-parse'
import { UsageError } from '../errors.js'
import type { RowSource, SourceRow } from './row-source.js'

const MAX_RECORD_BYTES = 64 * 1024 * 1024
const ROWS_AT_ONCE = 256
const REPLACEMENT = '\ufffd'
/** The byte-order mark in UTF-8. */
const MARK = [0xef, 0xbb, 0xbf]

export interface CsvOptions {
  delimiter: string
  /** TSV as programs write it has none: its fields can't hold tabs or line breaks. */
  quotes: boolean
  /** Without a header, columns are named by their place: 1, 2, 3 … */
  header: boolean
  /** Told the names of the columns before the first row. May throw. */
  onColumns(columns: readonly string[]): void
}

/** Rows of CSV or TSV: an object of strings each, by the names of the columns. */
export async function* csvSource(
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): RowSource {
  let failure: CsvError | undefined
  const parser = parse({
    delimiter: options.delimiter,
    ...(options.quotes ? {} : { quote: null, escape: null }),
    // Bytes, as invalid UTF-8 would otherwise be replaced without a word.
    encoding: null,
    // A quote inside of a field is one; the parser's own recovery would swallow the rows behind it.
    relax_quotes: true,
    // Counted here, where the line is known.
    relax_column_count: true,
    max_record_size: MAX_RECORD_BYTES,
    skip_records_with_error: true,
    on_skip: (error) => {
      failure ??= error
      return undefined
    },
  })
  // An error of the input destroys the parser with it, which ends the loop below.
  pipeline(Readable.from(withoutMark(chunks)), parser, () => {})
  const reading = new CsvRows(options)
  let rows: SourceRow[] = []
  for await (const record of parser as AsyncIterable<readonly Buffer[]>) {
    const row = reading.row(record)
    if (row !== undefined) rows.push(row)
    if (rows.length >= ROWS_AT_ONCE) {
      yield rows
      rows = []
    }
    if (failure !== undefined && parser.readableLength === 0) break
  }
  if (failure !== undefined) rows.push(reading.broken(failure))
  yield rows
}

/**
 * Without the byte-order mark that some programs begin a file with. The parser could leave it out, but
 * takes it for a reason to give text in place of bytes.
 */
async function* withoutMark(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array(0)
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length <= MARK.length) continue
    yield MARK.every((byte, i) => head?.[i] === byte) ? head.subarray(MARK.length) : head
    head = undefined
  }
  if (head !== undefined && !MARK.every((byte, i) => head?.[i] === byte)) yield head
}

/** Turns what the parser gives into rows, and knows where in the file they are. */
class CsvRows {
  readonly #options: CsvOptions
  #columns: readonly string[] | undefined
  #nextLine = 1

  constructor(options: CsvOptions) {
    this.#options = options
  }

  row(fields: readonly Buffer[]): SourceRow | undefined {
    const line = this.#nextLine
    const texts: string[] = []
    let valid = true
    for (const field of fields) {
      const text = field.toString('utf8')
      if (text.includes(REPLACEMENT)) valid &&= isUtf8(field)
      texts.push(text)
    }
    this.#nextLine += 1 + lineBreaks(texts)
    if (texts.length === 1 && texts[0] === '') return undefined
    if (!valid) return { line, problem: 'not UTF-8 text' }
    if (this.#columns === undefined) {
      this.#columns = this.#begin(texts)
      if (this.#options.header) return undefined
    }
    return this.#record(line, texts, this.#columns)
  }

  /** The file from here on can't be divided into rows. */
  broken(error: CsvError): SourceRow {
    const problem =
      error.code === 'CSV_QUOTE_NOT_CLOSED'
        ? 'a quote opens here and never closes'
        : error.code === 'CSV_MAX_RECORD_SIZE'
          ? `a row of more than ${MAX_RECORD_BYTES} bytes; a quote that never closes, or another delimiter?`
          : `not CSV (${error.code})`
    return { line: this.#nextLine, problem, final: true }
  }

  #begin(texts: readonly string[]): readonly string[] {
    const places = texts.map((_, index) => String(index + 1))
    const columns = this.#options.header
      ? texts.map((text, index) => text.trim() || (places[index] ?? ''))
      : places
    const twice = columns.find((name, index) => columns.indexOf(name) !== index)
    if (twice !== undefined) {
      throw new UsageError(
        `two columns are named ${JSON.stringify(twice)}; rename one, or read the columns by number with --no-header`,
      )
    }
    this.#options.onColumns(columns)
    return columns
  }

  #record(line: number, texts: readonly string[], columns: readonly string[]): SourceRow {
    if (texts.length !== columns.length) {
      return { line, problem: `${texts.length} fields, where ${columns.length} are expected` }
    }
    // No prototype: a column may be called __proto__.
    const record = Object.create(null) as Record<string, string>
    for (const [index, name] of columns.entries()) record[name] = texts[index] ?? ''
    return { line, record }
  }
}

function lineBreaks(texts: readonly string[]): number {
  let count = 0
  for (const text of texts) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  }
  return count
}
