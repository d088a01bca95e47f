import type { ReadableTable } from './table.js'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from './table-options.js'

/** The whole database as of one version. Keeps the files it reads: close it when done. */
export interface Snapshot extends AsyncDisposable {
  readonly version: number
  /** Microseconds since the epoch. */
  readonly timestamp: number
  table<const O extends TypingOptions>(
    name: string,
    options: O,
  ): ReadableTable<KeyOf<O>, ValueOf<O>>
  table<K = Uint8Array, V = Uint8Array>(
    name: string,
    options?: TableOptions<K, V>,
  ): ReadableTable<K, V>
  close(): Promise<void>
}
