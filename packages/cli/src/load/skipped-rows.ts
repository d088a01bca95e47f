import { countOf } from '../text/quantities.js'

const SHOWN = 10

/** Collects skipped rows: the first few with line and reason, the others as a count. */
export class SkippedRows {
  readonly #name: string
  readonly #first: string[] = []
  #count = 0

  constructor(name: string) {
    this.#name = name
  }

  add(line: number, problem: string): void {
    this.#count++
    if (this.#first.length < SHOWN) this.#first.push(`${this.#name}:${line}: ${problem}; skipped`)
  }

  warnings(): string[] {
    const more = this.#count - this.#first.length
    return more === 0
      ? [...this.#first]
      : [...this.#first, `… and ${countOf(more, 'more bad row')}`]
  }
}
