import { InvalidArgumentError } from '@firn/env'
import type { HistoryRetention, TableOptionsState } from '@firn/manifest'
import {
  type AnyEncoding,
  CUSTOM_ENCODING,
  type EncodedType,
  type Encoding,
  type EncodingName,
  resolveEncoding,
} from './encoding.js'
import { TableOptionsError } from './errors.js'

export interface TableOptions<K, V> {
  /** How keys become bytes. Default `'bytes'`, or what the table was created with. */
  keys?: EncodingName | Encoding<K>
  /** How values become bytes. Default `'bytes'`, or what the table was created with. */
  values?: EncodingName | Encoding<V>
  /** How long versions that were superseded can still be read. Default 24 hours. */
  history?: HistoryRetention
  /** How SST blocks are compressed. Default `'lz4'`. */
  compression?: 'none' | 'lz4' | 'deflate'
  /** How files are merged. Default `'leveled'`. */
  compaction?: 'leveled'
}

/** Options that the types of a table's keys and values are told by. */
export interface TypingOptions extends Omit<TableOptions<never, never>, 'keys' | 'values'> {
  keys?: EncodingName | AnyEncoding
  values?: EncodingName | AnyEncoding
}

/** The table that `options` make: `{ keys: 'utf8', values: 'json' }` has strings and JSON values. */
export type KeyOf<O extends TypingOptions> = EncodedType<O['keys']>
export type ValueOf<O extends TypingOptions> = EncodedType<O['values']>

const KNOWN: ReadonlySet<string> = new Set<keyof TableOptions<never, never>>([
  'keys',
  'values',
  'history',
  'compression',
  'compaction',
])

const DEFAULT_HISTORY: HistoryRetention = Object.freeze({ durationMs: 24 * 60 * 60 * 1000 })

const DEFAULTS: TableOptionsState = {
  keys: 'bytes',
  values: 'bytes',
  history: DEFAULT_HISTORY,
  compaction: 'leveled',
  compression: 'lz4',
  statistics: [],
}

// Names appear in listings, on command lines and perhaps in file names: an allow-list, short, and
// without spellings that a case-folding file system or a shell would read as something else.
const TABLE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/

/** Throws `InvalidArgumentError` unless `name` may name a table. */
export function assertTableName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !TABLE_NAME.test(name) || name.includes('..')) {
    throw new InvalidArgumentError(
      `not a table name: ${JSON.stringify(name) ?? String(name)}; use 1–128 of A–Z a–z 0–9 _ . : - , beginning with a letter, a digit or _, without ".."`,
    )
  }
}

/** Throws `InvalidArgumentError` for options that don't exist or have no such value. */
export function assertTableOptions(options: TableOptions<never, never>): void {
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) {
      throw new InvalidArgumentError(
        `unknown table option ${JSON.stringify(name)}; there are ${[...KNOWN].join(', ')}`,
      )
    }
  }
  if (options.history !== undefined) assertHistory(options.history)
  oneOf('compression', options.compression, ['none', 'lz4', 'deflate'])
  oneOf('compaction', options.compaction, ['leveled'])
}

/** What is persisted of the options when a table comes into being. */
export function persistedOptions(options: TableOptions<never, never>): TableOptionsState {
  return {
    ...DEFAULTS,
    ...(options.keys === undefined ? {} : { keys: encodingName(options.keys, 'keys') }),
    ...(options.values === undefined ? {} : { values: encodingName(options.values, 'values') }),
    ...(options.history === undefined ? {} : { history: options.history }),
    ...(options.compression === undefined ? {} : { compression: options.compression }),
    ...(options.compaction === undefined ? {} : { compaction: options.compaction }),
  }
}

/** Throws `TableOptionsError` where options that are given contradict those persisted. */
export function assertCompatible(
  name: string,
  given: TableOptions<never, never>,
  persisted: TableOptionsState,
): void {
  const asked = persistedOptions(given)
  for (const option of Object.keys(given) as (keyof TableOptions<never, never>)[]) {
    if (given[option] === undefined) continue
    const want = JSON.stringify(asked[option])
    const have = JSON.stringify(persisted[option])
    if (want !== have) {
      throw new TableOptionsError(
        `table ${JSON.stringify(name)} was created with ${option} ${have}, but is opened with ${want}; leave the option out, or use another table`,
      )
    }
  }
}

/** The encodings a handle uses: those given, else those the table was created with. */
export function encodingsOf(
  name: string,
  given: TableOptions<never, never>,
  persisted: TableOptionsState | undefined,
): { keys: Encoding<never>; values: Encoding<never> } {
  const pick = (role: 'keys' | 'values'): Encoding<never> => {
    const own = given[role]
    if (own !== undefined) return resolveEncoding(own, role)
    const stored = persisted?.[role] ?? DEFAULTS[role]
    if (!['bytes', 'utf8', 'json', 'tuple'].includes(stored)) {
      throw new TableOptionsError(
        `table ${JSON.stringify(name)} was created with an encoding of its own for ${role} (${JSON.stringify(stored)}); pass it as the option ${role}`,
      )
    }
    return resolveEncoding(stored as EncodingName, role)
  }
  return { keys: pick('keys'), values: pick('values') }
}

function encodingName(given: EncodingName | Encoding<never>, role: 'keys' | 'values'): string {
  return resolveEncoding(given, role).name ?? CUSTOM_ENCODING
}

function assertHistory(history: HistoryRetention): void {
  if (history === 'none' || history === 'all') return
  if (typeof history === 'object' && history !== null) {
    if ('durationMs' in history && isCount(history.durationMs)) return
    if ('versions' in history && isCount(history.versions) && history.versions > 0) return
  }
  throw new InvalidArgumentError(
    `history must be 'none', 'all', { durationMs } or { versions } (positive integers), got ${JSON.stringify(history)}`,
  )
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function oneOf(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) {
    throw new InvalidArgumentError(
      `table option ${name} must be one of ${allowed.join(', ')}, got ${JSON.stringify(value)}`,
    )
  }
}
