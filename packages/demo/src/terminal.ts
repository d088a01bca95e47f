import type { Env } from '@firn/env'
import picocolors from 'picocolors'

/** Where the demo writes: standard output, or a test. */
export interface Sink {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** Prints plain text for people: headings, sentences, and aligned columns. */
export class Terminal {
  readonly sink: Sink
  readonly #colors: ReturnType<typeof picocolors.createColors>
  readonly #env: Env

  constructor(sink: Sink, env: Env) {
    this.sink = sink
    this.#colors = picocolors.createColors(sink.isTTY === true && picocolors.isColorSupported)
    this.#env = env
  }

  heading(text: string): void {
    this.sink.write(`\n${this.#colors.bold(this.#colors.cyan(text))}\n`)
  }

  line(text = ''): void {
    this.sink.write(text === '' ? '\n' : `  ${text}\n`)
  }

  /** Prints a line that is less important than the one above it. */
  note(text: string): void {
    this.sink.write(`  ${this.#colors.dim(text)}\n`)
  }

  /** Prints rows under a header. Columns that hold only numbers are aligned to the right. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = header.map((name, i) =>
      Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)),
    )
    const numeric = header.map((_, i) => rows.every((row) => /^[\d–-]/.test(row[i] ?? '')))
    const render = (cells: readonly string[]): string =>
      cells
        .map((cell, i) => {
          const width = widths[i] ?? 0
          return numeric[i] === true ? cell.padStart(width) : cell.padEnd(width)
        })
        .join('  ')
        .trimEnd()
    this.note(render(header))
    for (const row of rows) this.line(render(row))
  }

  /** Measures how long `work` takes, by the monotonic clock. */
  async time<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
    const start = this.#env.monotonic()
    const result = await work()
    return { result, ms: this.#env.monotonic() - start }
  }
}
