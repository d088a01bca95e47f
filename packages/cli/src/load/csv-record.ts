const QUOTE = '"'

/**
 * Splits one record after another into its fields, line by line: a quoted field may span several
 * lines. A quote inside a field that doesn't begin with one is an ordinary character. If text
 * follows a field's closing quote on the same line, the field stays as it stands in the file.
 */
export class CsvRecord {
  readonly #delimiter: string
  readonly #quotes: boolean
  #fields: string[] = []
  /** The pieces of a quoted field whose quote hasn't closed yet. */
  #open: string[] | undefined
  #broken = false

  constructor(delimiter: string, quotes: boolean) {
    this.#delimiter = delimiter
    this.#quotes = quotes
  }

  /** Whether the record continues on the next line. */
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /**
   * Whether a quote closed on a later line and text follows it: it isn't clear where that text
   * belongs.
   */
  get isBroken(): boolean {
    return this.#broken
  }

  /** The fields of the record that `add` completed. */
  get fields(): readonly string[] {
    return this.#fields
  }

  /**
   * Adds a line without its LF; `ended` says whether it has one. Returns whether the line completes
   * a record.
   */
  add(line: string, ended: boolean): boolean {
    const end = line.endsWith('\r') ? line.length - 1 : line.length
    let at = 0
    if (this.#open === undefined) {
      this.#fields = []
      this.#broken = false
    } else {
      at = this.#quoted(line, 0, end, ended, undefined)
    }
    // After the last field, `at` is `end + 1`: a line that ends with a delimiter has one more
    // field.
    while (at <= end && this.#open === undefined && !this.#broken)
      at = this.#field(line, at, end, ended)
    return this.#open === undefined
  }

  /** Reads the field that begins at `at`, and returns where the next one begins. */
  #field(line: string, at: number, end: number, ended: boolean): number {
    if (this.#quotes && line[at] === QUOTE) {
      this.#open = []
      return this.#quoted(line, at + 1, end, ended, at)
    }
    return this.#plain(line, at, at, end)
  }

  /** Reads a field that ends at the first delimiter at or after `from`. */
  #plain(line: string, start: number, from: number, end: number): number {
    const found = line.indexOf(this.#delimiter, from)
    const stop = found < 0 || found > end ? end : found
    this.#fields.push(line.slice(start, stop))
    return stop === end ? end + 1 : stop + this.#delimiter.length
  }

  /**
   * Continues a quoted field at `at`. `start` is where the field began, if that is on this line.
   */
  #quoted(
    line: string,
    at: number,
    end: number,
    ended: boolean,
    start: number | undefined,
  ): number {
    const pieces = this.#open as string[]
    let from = at
    for (;;) {
      const quote = line.indexOf(QUOTE, from)
      if (quote < 0) {
        pieces.push(ended ? `${line.slice(from)}\n` : line.slice(from))
        return line.length + 1
      }
      pieces.push(line.slice(from, quote))
      from = quote + 1
      if (line[from] !== QUOTE) break
      pieces.push(QUOTE)
      from++
    }
    this.#open = undefined
    if (from === end || line.startsWith(this.#delimiter, from)) {
      this.#fields.push(pieces.join(''))
      return from === end ? end + 1 : from + this.#delimiter.length
    }
    if (start !== undefined) return this.#plain(line, start, from, end)
    this.#broken = true
    return end + 1
  }
}
