import type { Commit, ReadableTable, Rows, Table, TransactionTable } from '@firn/engine'
import type { Row } from '../history.js'
import type { KeyRange } from '../key-range.js'
import type { SimTable } from '../tables.js'
import type { CallOptions, ReusedInputs } from './reused-inputs.js'
import { textOfKey, textOfValue } from './text-keys.js'

/** A table of any encodings, as a client sees it. */
export type Readable = ReadableTable<unknown, unknown>

/** The byte that overwrites bytes from the engine: they belong to the client. */
const SCRIBBLED = 0x21

/** The kinds of a table's keys and values. */
export type Kinds = Pick<SimTable['options'], 'keys' | 'values'>

/**
 * A table as text, whatever its encodings. Inputs are reused as soon as a call returns
 * (`ReusedInputs`), and bytes that the engine returns are overwritten.
 */
export class ClientReads<T extends Readable = Readable> {
  readonly target: T
  protected readonly inputs: ReusedInputs
  readonly kinds: Kinds

  constructor(target: T, kinds: Kinds, inputs: ReusedInputs) {
    this.target = target
    this.kinds = kinds
    this.inputs = inputs
  }

  async get(key: string, options?: CallOptions): Promise<string | undefined> {
    return this.textOf(
      await this.inputs.pass((own) =>
        this.target.get(own.key(this.kinds.keys, key), own.options(options)),
      ),
    )
  }

  async getMany(keys: readonly string[], options?: CallOptions): Promise<(string | undefined)[]> {
    const values = await this.inputs.pass((own) =>
      this.target.getMany(own.keys(this.kinds.keys, keys), own.options(options)),
    )
    return values.map((value) => this.textOf(value))
  }

  has(key: string, options?: CallOptions): Promise<boolean> {
    return this.inputs.pass((own) =>
      this.target.has(own.key(this.kinds.keys, key), own.options(options)),
    )
  }

  scan(options?: CallOptions): ClientRows<Row, [unknown, unknown]> {
    const { keys } = this.kinds
    const rows = this.inputs.pass((own) => this.target.scan(own.options(options, keys)))
    return new ClientRows(rows, ([key, value]: [unknown, unknown]) => [
      this.#keyText(key),
      this.textOf(value) ?? '',
    ])
  }

  keys(options?: CallOptions): ClientRows<string> {
    const { keys } = this.kinds
    const rows = this.inputs.pass((own) => this.target.keys(own.options(options, keys)))
    return new ClientRows(rows, (key) => this.#keyText(key))
  }

  values(options?: CallOptions): ClientRows<string> {
    const { keys } = this.kinds
    const rows = this.inputs.pass((own) => this.target.values(own.options(options, keys)))
    return new ClientRows(rows, (value) => this.textOf(value) ?? '')
  }

  count(options?: CallOptions): Promise<number> {
    const { keys } = this.kinds
    return this.inputs.pass((own) => this.target.count(own.options(options, keys)))
  }

  async warm(range: KeyRange, signal: AbortSignal | undefined): Promise<void> {
    const { keys } = this.kinds
    await this.inputs.pass((own) =>
      this.target.warm(own.options(range, keys), signal === undefined ? {} : { signal }),
    )
  }

  protected textOf(value: unknown): string | undefined {
    if (value === undefined) return undefined
    const text = textOfValue(this.kinds.values, value)
    if (value instanceof Uint8Array) value.fill(SCRIBBLED)
    return text
  }

  #keyText(key: unknown): string {
    const text = textOfKey(this.kinds.keys, key)
    for (const part of Array.isArray(key) ? key : [key]) {
      if (part instanceof Uint8Array) part.fill(SCRIBBLED)
    }
    return text
  }
}

/** A table as text that single calls write to. */
export class ClientTable extends ClientReads<Table<unknown, unknown>> {
  getSync(key: string): string | undefined {
    return this.textOf(
      this.inputs.pass((own) => this.target.getSync(own.key(this.kinds.keys, key))),
    )
  }

  put(key: string, value: string, options?: CallOptions): Promise<Commit> {
    const { keys, values } = this.kinds
    return this.inputs.pass((own) =>
      this.target.put(own.key(keys, key), own.value(values, value), own.options(options)),
    )
  }

  delete(key: string, options?: CallOptions): Promise<Commit> {
    return this.inputs.pass((own) =>
      this.target.delete(own.key(this.kinds.keys, key), own.options(options)),
    )
  }
}

/** A table as text that a transaction writes to. */
export class ClientTransactionTable extends ClientReads<TransactionTable<unknown, unknown>> {
  put(key: string, value: string): Promise<void> {
    const { keys, values } = this.kinds
    return this.inputs.pass((own) => this.target.put(own.key(keys, key), own.value(values, value)))
  }

  delete(key: string): Promise<void> {
    return this.inputs.pass((own) => this.target.delete(own.key(this.kinds.keys, key)))
  }
}

/** Rows as text. */
export class ClientRows<R, T = unknown> implements AsyncIterable<R> {
  readonly #rows: Rows<T>
  readonly #toText: (row: T) => R

  constructor(rows: Rows<T>, toText: (row: T) => R) {
    this.#rows = rows
    this.#toText = toText
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    for await (const row of this.#rows) yield this.#toText(row)
  }

  async toArray(): Promise<R[]> {
    const rows = await this.#rows.toArray()
    return rows.map((row) => this.#toText(row))
  }
}
