import type { Output } from './output.js'
import { rowJson } from './text/row-json.js'
import type { TableText } from './text/table-text.js'
import { fitToWidth, textWidth } from './text/text-width.js'

const MAX_KEY_COLUMNS = 40
const GAP = '  '

/** Prints rows page by page: as JSON lines, aligned on a terminal, or separated by a tab. */
export class RowPrinter {
  readonly #output: Output
  readonly #text: TableText
  // Only grows, so that later pages don't jump to the left.
  #keyColumns = 0

  constructor(output: Output, text: TableText) {
    this.#output = output
    this.#text = text
  }

  async keys(page: readonly Uint8Array[]): Promise<void> {
    const text = this.#text
    if (this.#output.json) {
      await this.#output.jsonLines(page.map((key) => `${rowJson(text, key, undefined)}\n`).join(''))
      return
    }
    await this.#output.write(page.map((key) => `${text.showKey(key)}\n`).join(''))
  }

  async rows(page: readonly (readonly [Uint8Array, Uint8Array])[]): Promise<void> {
    const text = this.#text
    if (this.#output.json) {
      await this.#output.jsonLines(page.map(([k, v]) => `${rowJson(text, k, v)}\n`).join(''))
      return
    }
    if (this.#output.isTerminal) return this.#aligned(page)
    await this.#output.write(
      page.map(([k, v]) => `${text.showKey(k)}\t${text.showValue(v)}\n`).join(''),
    )
  }

  async #aligned(page: readonly (readonly [Uint8Array, Uint8Array])[]): Promise<void> {
    const { columns } = this.#output
    const keys = page.map(([key]) => this.#text.showKey(key))
    for (const key of keys) {
      this.#keyColumns = Math.min(MAX_KEY_COLUMNS, Math.max(this.#keyColumns, textWidth(key)))
    }
    const lines = page.map(([, value], index) => {
      const key = keys[index] ?? ''
      const keyColumns = Math.max(this.#keyColumns, textWidth(key))
      const room = Math.max(10, columns - keyColumns - GAP.length)
      const padding = ' '.repeat(keyColumns - textWidth(key))
      return `${this.#output.paint('cyan', key).painted}${padding}${GAP}${fitToWidth(this.#text.showValue(value), room)}\n`
    })
    await this.#output.write(lines.join(''))
  }
}
