import type { HistoryRetention } from '@firn/mvcc'
import type { AnyEncoding, EncodedType, Encoding, EncodingName } from './encoding.js'

export interface TableOptions<K, V> {
  /** How keys become bytes. Default `'bytes'`, or what the table was created with. */
  keys?: EncodingName | Encoding<K> | undefined
  /** How values become bytes. Default `'bytes'`, or what the table was created with. */
  values?: EncodingName | Encoding<V> | undefined
  /** How long superseded versions stay readable. Default 24 hours. */
  history?: HistoryRetention | undefined
  /** How SST blocks are compressed. Default `'lz4'`. */
  compression?: 'none' | 'lz4' | 'deflate' | undefined
  /** How files are merged. Default `'leveled'`. */
  compaction?: 'leveled' | undefined
}

/** Table options that the types of its keys and values are derived from. */
export interface TypingOptions extends Omit<TableOptions<never, never>, 'keys' | 'values'> {
  keys?: EncodingName | AnyEncoding | undefined
  values?: EncodingName | AnyEncoding | undefined
}

/**
 * The key type of a table with these options: `{ keys: 'utf8', values: 'json' }` has string keys
 * and JSON values.
 */
export type KeyOf<O extends TypingOptions> = EncodedType<O['keys']>
export type ValueOf<O extends TypingOptions> = EncodedType<O['values']>
