import type { HistoryRetention } from '@firn/mvcc'
import type { AnyEncoding, EncodedType, Encoding, EncodingName } from './encoding.js'

export interface TableOptions<K, V> {
  /** How keys become bytes. Default `'bytes'`, or what the table was created with. */
  keys?: EncodingName | Encoding<K> | undefined
  /** How values become bytes. Default `'bytes'`, or what the table was created with. */
  values?: EncodingName | Encoding<V> | undefined
  /** How long versions that were superseded can still be read. Default 24 hours. */
  history?: HistoryRetention | undefined
  /** How SST blocks are compressed. Default `'lz4'`. */
  compression?: 'none' | 'lz4' | 'deflate' | undefined
  /** How files are merged. Default `'leveled'`. */
  compaction?: 'leveled' | undefined
}

/** Options that the types of a table's keys and values are told by. */
export interface TypingOptions extends Omit<TableOptions<never, never>, 'keys' | 'values'> {
  keys?: EncodingName | AnyEncoding | undefined
  values?: EncodingName | AnyEncoding | undefined
}

/**
 * The table that `options` make: `{ keys: 'utf8', values: 'json' }` has strings and JSON values.
 */
export type KeyOf<O extends TypingOptions> = EncodedType<O['keys']>
export type ValueOf<O extends TypingOptions> = EncodedType<O['values']>
