import picocolors from 'picocolors'
import type { Io, Sink } from './io.js'
import { alignColumns, type Column } from './text/aligned-columns.js'
import { printableJsonLines, safeText } from './text/byte-text.js'

type Colors = ReturnType<typeof picocolors.createColors>
type Color = 'bold' | 'cyan' | 'dim' | 'green' | 'red'

/** Text that a terminal may have as it is, escape sequences of colours included. */
export interface Painted {
  readonly painted: string
}

/**
 * All that a command says goes through here: results to stdout, remarks and errors to stderr. What
 * people read has no control characters but its own: those of names, paths and messages are escaped
 * here. Where nobody reads stderr any more, remarks are lost, and that changes nothing.
 */
export class Output {
  /** True where a program reads: results are JSON. */
  readonly json: boolean
  /** True where a person reads stdout on a terminal. */
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

  /** Width of the terminal in columns; without one, as wide as it takes. */
  get columns(): number {
    // Some terminals don't know their size and say 0.
    return this.#io.stdout.columns || Number.POSITIVE_INFINITY
  }

  /** Where progress is drawn; `undefined` where nobody would see it. */
  get progressSink(): Sink | undefined {
    return this.#io.stderr.isTTY && !this.json ? this.#io.stderr : undefined
  }

  /** Exactly these characters or bytes. */
  write(data: string | Uint8Array): Promise<void> {
    return this.#io.stdout.write(data)
  }

  /** A line for people: `parts` are escaped, what `paint` makes of them with colours is not. */
  line(...parts: readonly (string | Painted)[]): Promise<void> {
    return this.write(`${textOf(parts)}\n`)
  }

  /** A part of a line in a colour, or bold or dim. */
  paint(color: Color, text: string): Painted {
    return { painted: this.#colors[color](safeText(text)) }
  }

  /** One JSON document on a line of its own. */
  document(value: unknown): Promise<void> {
    return this.jsonLines(`${JSON.stringify(value)}\n`)
  }

  /** Lines of JSON. A terminal gets what it would act on as `\uNNNN`, which means the same. */
  jsonLines(lines: string): Promise<void> {
    return this.write(this.#io.stdout.isTTY ? printableJsonLines(lines) : lines)
  }

  /** An aligned table; a later part of one that is printed in pieces has no header. */
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

  /** A remark for people, beside the results; programs that asked for JSON are spared it. */
  async note(text: string): Promise<void> {
    if (!this.json) await this.#remark(this.#errorColors.dim(safeText(text)))
  }

  /** Something to know about, though the command goes on. */
  async warn(text: string): Promise<void> {
    await this.#remark(`${this.#errorColors.yellow('firn:')} ${safeText(text)}`)
  }

  /** Why the command failed. */
  async error(failure: { code: string; message: string; stack?: string }): Promise<void> {
    const { code, stack } = failure
    const message = safeText(failure.message)
    const line = this.json
      ? JSON.stringify({ error: { code, message } })
      : `${this.#errorColors.red('firn:')} ${message}`
    await this.#remark(stack === undefined ? line : `${line}\n${safeLines(stack)}`)
  }

  /** Help in place of a command that is missing. */
  async usage(help: string): Promise<void> {
    await this.#remark(help.trimEnd())
  }

  async #remark(lines: string): Promise<void> {
    try {
      await this.#io.stderr.write(`${lines}\n`)
    } catch {
      // The exit status says what there is to say.
    }
  }
}

function textOf(parts: readonly (string | Painted)[]): string {
  return parts.map((part) => (typeof part === 'string' ? safeText(part) : part.painted)).join('')
}

function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n')
}

/** https://no-color.org and https://force-color.org; otherwise, terminals that can. */
function wantsColor(io: Io, sink: Sink): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = io.env
  if (no !== undefined && no !== '') return false
  if (force !== undefined && force !== '') return force !== '0'
  return sink.isTTY && term !== 'dumb'
}
