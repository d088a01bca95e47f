import type { Batch, Commit } from '@firn/engine'
import type { ClientTable } from './client-table.js'
import type { CallOptions, ReusedInputs } from './reused-inputs.js'

/** A batch of text, whatever the encodings of its tables. Its inputs are reused at once. */
export class ClientBatch {
  readonly #batch: Batch
  readonly #inputs: ReusedInputs

  constructor(batch: Batch, inputs: ReusedInputs) {
    this.#batch = batch
    this.#inputs = inputs
  }

  put({ target, kinds: { keys, values } }: ClientTable, key: string, value: string): void {
    this.#inputs.pass((own) =>
      this.#batch.put(target, own.key(keys, key), own.value(values, value)),
    )
  }

  delete({ target, kinds: { keys } }: ClientTable, key: string): void {
    this.#inputs.pass((own) => this.#batch.delete(target, own.key(keys, key)))
  }

  drain(): Promise<void> {
    return this.#batch.drain()
  }

  clear(): void {
    this.#batch.clear()
  }

  write(options: CallOptions): Promise<Commit> {
    return this.#inputs.pass((own) => this.#batch.write(own.options(options)))
  }
}
