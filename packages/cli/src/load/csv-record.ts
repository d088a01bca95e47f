const QUOTE = '"'

/**
 * Divides one record after the other into its fields, a line at a time: a quoted field may go on
 * over several. A quote inside of a field that doesn't begin with one is a character like any
 * other; a field whose closing quote has more text behind it, on the same line, stays as it stands
 * in the file.
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

  /** Whether the record goes on with the next line. */
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /**
   * Whether a quote closed on a later line and had text behind it: nobody knows what it belongs to.
   */
  get isBroken(): boolean {
    return this.#broken
  }

  /** The fields of the record that `add` completed. */
  get fields(): readonly string[] {
    return this.#fields
  }

  /**
   * Takes a line without its LF, which it has if it is `ended`. Returns whether it completes a
   * record.
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
    // Behind the last field is one more than the end: a line that ends with a delimiter has one
    // more.
    while (at <= end && this.#open === undefined && !this.#broken)
      at = this.#field(line, at, end, ended)
    return this.#open === undefined
  }

  /** Takes the field that begins at `at`; returns where the next one begins. */
  #field(line: string, at: number, end: number, ended: boolean): number {
    if (this.#quotes && line[at] === QUOTE) {
      this.#open = []
      return this.#quoted(line, at + 1, end, ended, at)
    }
    return this.#plain(line, at, at, end)
  }

  /** A field that goes up to the next delimiter from `from` on. */
  #plain(line: string, start: number, from: number, end: number): number {
    const found = line.indexOf(this.#delimiter, from)
    const stop = found < 0 || found > end ? end : found
    this.#fields.push(line.slice(start, stop))
    return stop === end ? end + 1 : stop + this.#delimiter.length
  }

  /** Goes on in quotes from `at` on. `start` is where the field began, if that is on this line. */
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
