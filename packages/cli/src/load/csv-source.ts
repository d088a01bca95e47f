import { UsageError } from '../errors.js'
import { decodeLine } from '../text/byte-text.js'
import { notUtf8, tooLong } from './bad-row.js'
import { CsvRecord } from './csv-record.js'
import { type Line, linesOf } from './lines.js'
import type { RowSource, SourceRow } from './row-source.js'
import type { TextInput } from './text-input.js'

export interface CsvOptions {
  delimiter: string
  /**
   * Whether fields may be quoted. In TSV they aren't: its fields can't hold tabs or line breaks.
   */
  quotes: boolean
  /** Without a header, columns are named by their position: 1, 2, 3 … */
  header: boolean
  /** The limit in bytes of a line, and of a row of several lines. */
  maxRecordBytes: number
  /** Called with the names of the columns before the first row. May throw. */
  onColumns(columns: readonly string[]): void
}

/**
 * Reads rows of CSV (RFC 4180) or TSV as objects of strings, by the names of the columns. A line
 * ends with LF or CRLF, whatever other lines end with. In quotes, line breaks are kept as they are;
 * elsewhere, a CR is an ordinary character.
 */
export async function* csvSource(text: TextInput, options: CsvOptions): RowSource {
  const reading = new CsvRows(options)
  for await (const lines of linesOf(text, options.maxRecordBytes)) {
    const rows: SourceRow[] = []
    for (const line of lines) {
      const row = reading.row(line)
      if (row !== undefined) rows.push(row)
      if (row?.final === true) break
    }
    if (rows.length > 0) yield rows
    if (rows.at(-1)?.final === true) return
  }
  const last = reading.end()
  if (last !== undefined) yield [last]
}

/** Turns lines into rows, and knows where in the file they are. */
class CsvRows {
  readonly #options: CsvOptions
  readonly #record: CsvRecord
  #columns: readonly string[] | undefined
  /** The line on which the incomplete row began. */
  #first = 0
  #bytes = 0
  /** The fault in the text of that row. */
  #problem: string | undefined

  constructor(options: CsvOptions) {
    this.#options = options
    this.#record = new CsvRecord(options.delimiter, options.quotes)
  }

  /** Returns the row that the line completes; `undefined` if it completes none. */
  row(line: Line): SourceRow | undefined {
    const { number, bytes, ended } = line
    if (!this.#record.isOpen) {
      this.#first = number
      this.#bytes = 0
      this.#problem = undefined
    }
    this.#bytes += bytes.length + 1
    if (line.tooLong || this.#bytes - 1 > this.#options.maxRecordBytes) return this.#tooLong(line)
    const { text, invalidAt } = decodeLine(bytes)
    if (invalidAt !== undefined) this.#problem ??= notUtf8(line, invalidAt)
    if (text.includes('\0')) this.#problem ??= 'not text: it contains a NUL character'
    if (!this.#record.add(text, ended)) return undefined
    const { fields } = this.#record
    if (this.#record.isBroken) {
      return this.#final('a quote opens here and closes on another line, with more text after it')
    }
    if (fields.length === 1 && fields[0] === '' && bytes.length < 2) return undefined
    return this.#finish(fields)
  }

  /** Returns the row that the end of the file leaves incomplete. */
  end(): SourceRow | undefined {
    return this.#record.isOpen ? this.#final('a quote opens here and never closes') : undefined
  }

  #finish(fields: readonly string[]): SourceRow | undefined {
    if (this.#columns === undefined) {
      if (this.#options.header) {
        if (this.#problem !== undefined) return this.#final(`the header is ${this.#problem}`)
        this.#columns = this.#begin(fields)
        return undefined
      }
      if (this.#problem === undefined) this.#columns = this.#begin(fields)
    }
    const line = this.#first
    if (this.#problem !== undefined) return { line, problem: this.#problem }
    const columns = this.#columns ?? []
    if (fields.length !== columns.length) {
      return { line, problem: `${fields.length} fields instead of ${columns.length}` }
    }
    // No prototype: a column may be called __proto__.
    const record = Object.create(null) as Record<string, string>
    for (const [index, name] of columns.entries()) record[name] = fields[index] ?? ''
    return { line, record }
  }

  #tooLong(line: Line): SourceRow {
    const limit = `a row ${tooLong(this.#options.maxRecordBytes)}`
    if (this.#record.isOpen || this.#options.quotes || this.#columns === undefined) {
      return this.#final(
        this.#options.quotes ? `${limit}, or look for a quote that never closes` : limit,
      )
    }
    return { line: line.number, problem: limit }
  }

  /** Ends the rows: the rest of the file can't be divided into rows. */
  #final(problem: string): SourceRow {
    return { line: this.#first, problem, final: true }
  }

  #begin(texts: readonly string[]): readonly string[] {
    const places = texts.map((_, index) => String(index + 1))
    const columns = this.#options.header
      ? texts.map((text, index) => text.trim() || (places[index] ?? ''))
      : places
    if (this.#options.header && texts.some((text) => /\r(?!\n)/.test(text))) {
      throw new UsageError(
        "the lines end with CR alone, as on old Macs; `tr '\\r' '\\n' < <file> | firn load -` converts them",
      )
    }
    const twice = columns.find((name, index) => columns.indexOf(name) !== index)
    if (twice !== undefined) {
      throw new UsageError(
        `two columns are named ${JSON.stringify(shortened(twice))}; rename one, or read the columns by number with --no-header`,
      )
    }
    this.#options.onColumns(columns)
    return columns
  }
}

const NAME_LENGTH = 40

/**
 * Shortens a column's name for messages. If the file's delimiter is another one, a name may be as
 * long as a line.
 */
export function shortened(name: string): string {
  return name.length <= NAME_LENGTH ? name : `${name.slice(0, NAME_LENGTH)}…`
}
