import picocolors from 'picocolors'
import type { Io, Sink } from './io.js'
import { alignColumns, type Column } from './text/aligned-columns.js'
import { printableJsonLines, safeText } from './text/byte-text.js'

type Colors = ReturnType<typeof picocolors.createColors>
type Color = 'bold' | 'cyan' | 'dim' | 'green' | 'red'

/** Text that is printed as it is, escape sequences of colours included. */
export interface Painted {
  readonly painted: string
}

/**
 * Prints everything that a command says: results to stdout, remarks and errors to stderr. Text for
 * people has no control characters except those of colours: names, paths and messages are escaped
 * here. If the reader of stderr has gone, remarks are lost, and the command goes on.
 */
export class Output {
  /** True if a program reads the results: they are JSON. */
  readonly json: boolean
  /** True if a person reads stdout on a terminal. */
  readonly isTerminal: boolean
  readonly #colors: Colors
  readonly #io: Io
  readonly #errorColors: Colors

  constructor(io: Io, options: { json: boolean }) {
    this.#io = io
    this.json = options.json
    this.isTerminal = io.stdout.isTTY && !options.json
    this.#colors = picocolors.createColors(!options.json && wantsColor(io, io.stdout))
    this.#errorColors = picocolors.createColors(wantsColor(io, io.stderr))
  }

  /** Width of the terminal in columns; unlimited without a terminal. */
  get columns(): number {
    // Some terminals don't know their size and report 0.
    return this.#io.stdout.columns || Number.POSITIVE_INFINITY
  }

  /** Where progress is drawn; `undefined` if it wouldn't be seen. */
  get progressSink(): Sink | undefined {
    return this.#io.stderr.isTTY && !this.json ? this.#io.stderr : undefined
  }

  /** Prints exactly these characters or bytes. */
  write(data: string | Uint8Array): Promise<void> {
    return this.#io.stdout.write(data)
  }

  /** Prints a line for people. Strings are escaped; what `paint` returns is not. */
  line(...parts: readonly (string | Painted)[]): Promise<void> {
    return this.write(`${textOf(parts)}\n`)
  }

  /** Makes a part of a line coloured, bold or dim. */
  paint(color: Color, text: string): Painted {
    return { painted: this.#colors[color](safeText(text)) }
  }

  /** Prints one JSON document on its own line. */
  document(value: unknown): Promise<void> {
    return this.jsonLines(`${JSON.stringify(value)}\n`)
  }

  /**
   * Prints lines of JSON. On a terminal, characters that it would act on become `\uNNNN`, which
   * means the same.
   */
  jsonLines(lines: string): Promise<void> {
    return this.write(this.#io.stdout.isTTY ? printableJsonLines(lines) : lines)
  }

  /**
   * Prints an aligned table. `header` is false for the later parts of a table that is printed in
   * parts.
   */
  async table(
    columns: readonly Column[],
    rows: readonly (readonly string[])[],
    options: { header: boolean } = { header: true },
  ): Promise<void> {
    const safeRows = rows.map((row) => row.map(safeText))
    const [header = '', ...lines] = alignColumns(columns, safeRows)
    if (options.header) lines.unshift(this.#colors.bold(header))
    if (lines.length > 0) await this.write(`${lines.join('\n')}\n`)
  }

  /** Prints a remark for people beside the results; with `--json`, nothing. */
  async note(text: string): Promise<void> {
    if (!this.json) await this.#remark(this.#errorColors.dim(safeText(text)))
  }

  /** Prints a warning; the command goes on. */
  async warn(text: string): Promise<void> {
    await this.#remark(`${this.#errorColors.yellow('firn:')} ${safeText(text)}`)
  }

  /** Prints why the command failed. */
  async error(failure: { code: string; message: string; stack?: string }): Promise<void> {
    const { code, stack } = failure
    const message = safeText(failure.message)
    const line = this.json
      ? JSON.stringify({ error: { code, message } })
      : `${this.#errorColors.red('firn:')} ${message}`
    await this.#remark(stack === undefined ? line : `${line}\n${safeLines(stack)}`)
  }

  /** Prints the help if the command is missing. */
  async usage(help: string): Promise<void> {
    await this.#remark(help.trimEnd())
  }

  async #remark(lines: string): Promise<void> {
    try {
      await this.#io.stderr.write(`${lines}\n`)
    } catch {
      // The exit status still says how the command ended.
    }
  }
}

function textOf(parts: readonly (string | Painted)[]): string {
  return parts.map((part) => (typeof part === 'string' ? safeText(part) : part.painted)).join('')
}

function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n')
}

/**
 * Follows https://no-color.org and https://force-color.org; else, colours are for terminals that
 * can.
 */
function wantsColor(io: Io, sink: Sink): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = io.env
  if (no !== undefined && no !== '') return false
  if (force !== undefined && force !== '') return force !== '0'
  return sink.isTTY && term !== 'dumb'
}
