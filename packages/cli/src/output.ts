import picocolors from 'picocolors'
import type { Io, Sink } from './io.js'
import { alignColumns, type Column } from './text/aligned-columns.js'

export type Colors = ReturnType<typeof picocolors.createColors>

/** All that a command says goes through here: results to stdout, remarks and errors to stderr. */
export class Output {
  /** True where a program reads: results are JSON. */
  readonly json: boolean
  /** True where a person reads stdout on a terminal. */
  readonly isTerminal: boolean
  readonly colors: Colors
  readonly #io: Io
  readonly #errorColors: Colors

  constructor(io: Io, options: { json: boolean }) {
    this.#io = io
    this.json = options.json
    this.isTerminal = io.stdout.isTTY && !options.json
    this.colors = picocolors.createColors(!options.json && wantsColor(io, io.stdout))
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

  line(text: string): Promise<void> {
    return this.write(`${text}\n`)
  }

  /** One JSON document on a line of its own. */
  document(value: unknown): Promise<void> {
    return this.line(JSON.stringify(value))
  }

  /** An aligned table; a later part of one that is printed in pieces has no header. */
  async table(
    columns: readonly Column[],
    rows: readonly (readonly string[])[],
    options: { header: boolean } = { header: true },
  ): Promise<void> {
    const [header = '', ...lines] = alignColumns(columns, rows)
    if (options.header) lines.unshift(this.colors.bold(header))
    if (lines.length > 0) await this.line(lines.join('\n'))
  }

  /** A remark for people, beside the results; programs that asked for JSON are spared it. */
  async note(text: string): Promise<void> {
    if (!this.json) await this.#io.stderr.write(`${this.#errorColors.dim(text)}\n`)
  }

  /** Something to know about, though the command goes on. */
  async warn(text: string): Promise<void> {
    await this.#io.stderr.write(`${this.#errorColors.yellow('firn:')} ${text}\n`)
  }

  /** Why the command failed. */
  async error(failure: { code: string; message: string; stack?: string }): Promise<void> {
    const { code, message, stack } = failure
    const line = this.json
      ? JSON.stringify({ error: { code, message } })
      : `${this.#errorColors.red('firn:')} ${message}`
    await this.#io.stderr.write(`${line}\n${stack === undefined ? '' : `${stack}\n`}`)
  }
}

/** https://no-color.org and https://force-color.org; otherwise, terminals that can. */
function wantsColor(io: Io, sink: Sink): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = io.env
  if (no !== undefined && no !== '') return false
  if (force !== undefined && force !== '') return force !== '0'
  return sink.isTTY && term !== 'dumb'
}
