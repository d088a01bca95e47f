import { InvalidArgumentError } from '@firn/env'
import type { TableOptionsState } from '@firn/manifest'
import type { HistoryRetention } from '@firn/mvcc'
import {
  CUSTOM_ENCODING,
  type Encoding,
  type EncodingName,
  isEncodingName,
  resolveEncoding,
} from '../../encoding.js'
import { TableOptionsError } from '../../errors.js'
import type { TableOptions } from '../../table-options.js'
import { assertMembers, assertOneOf, shown } from './members.js'

const TABLE_MEMBERS: ReadonlySet<string> = new Set<keyof TableOptions<never, never>>([
  'keys',
  'values',
  'history',
  'compression',
  'compaction',
])
const HISTORY_MEMBERS: ReadonlySet<string> = new Set(['durationMs', 'versions'])

const DEFAULT_HISTORY: HistoryRetention = Object.freeze({ durationMs: 24 * 60 * 60 * 1000 })

const DEFAULTS: TableOptionsState = {
  keys: 'bytes',
  values: 'bytes',
  history: DEFAULT_HISTORY,
  compaction: 'leveled',
  compression: 'lz4',
  statistics: [],
}

// Names appear in listings, on command lines and perhaps in file names. The allow-list is short,
// and excludes spellings that a case-folding file system or a shell would misread.
const TABLE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/

type AskedOption = 'keys' | 'values' | 'history' | 'compression' | 'compaction'

/** Options of a table, copied when `table` was called. */
export interface TakenTableOptions {
  /** The encodings that the caller gave. */
  readonly encodings: Record<'keys' | 'values', Encoding<never> | undefined>
  /** The options that the caller gave, in their persisted form. */
  readonly asked: { readonly [O in AskedOption]: TableOptionsState[O] | undefined }
}

/** Throws `InvalidArgumentError` unless `name` is a valid table name. */
export function assertTableName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !TABLE_NAME.test(name) || name.includes('..')) {
    throw new InvalidArgumentError(
      `not a table name: ${shown(name)}; use 1–128 of A–Z a–z 0–9 _ . : - , beginning with a letter, a digit or _, without ".."`,
    )
  }
}

/**
 * Copies the options of a table. Throws `InvalidArgumentError` for unknown or invalid ones, so that
 * everything past this point can be persisted.
 */
export function takeTableOptions(options: TableOptions<never, never>): TakenTableOptions {
  assertMembers('table', options, TABLE_MEMBERS)
  const { keys, values, history, compression, compaction } = options
  assertOneOf('compression', compression, ['none', 'lz4', 'deflate'])
  assertOneOf('compaction', compaction, ['leveled'])
  const encodings = {
    keys: keys === undefined ? undefined : resolveEncoding(keys, 'keys'),
    values: values === undefined ? undefined : resolveEncoding(values, 'values'),
  }
  return {
    encodings,
    asked: {
      keys: persistedName(encodings.keys, 'keys'),
      values: persistedName(encodings.values, 'values'),
      history: history === undefined ? undefined : takeHistory(history),
      compression,
      compaction,
    },
  }
}

/** Returns the options that are persisted when a table is created. */
export function persistedOptions({ asked }: TakenTableOptions): TableOptionsState {
  return {
    keys: asked.keys ?? DEFAULTS.keys,
    values: asked.values ?? DEFAULTS.values,
    history: asked.history ?? DEFAULTS.history,
    compaction: asked.compaction ?? DEFAULTS.compaction,
    compression: asked.compression ?? DEFAULTS.compression,
    statistics: DEFAULTS.statistics,
  }
}

/** Throws `TableOptionsError` if given options contradict the persisted ones. */
export function assertCompatible(
  name: string,
  { asked }: TakenTableOptions,
  persisted: TableOptionsState,
): void {
  for (const option of Object.keys(asked) as AskedOption[]) {
    if (asked[option] === undefined) continue
    const want = JSON.stringify(asked[option])
    const have = JSON.stringify(persisted[option])
    if (want !== have) {
      throw new TableOptionsError(
        `table ${JSON.stringify(name)} was created with ${option} ${have}, but is opened with ${want}; leave the option out, or use another table`,
      )
    }
  }
}

/** Returns the encodings of a handle: the given ones, else those the table was created with. */
export function encodingsOf(
  name: string,
  { encodings }: TakenTableOptions,
  persisted: TableOptionsState | undefined,
): { keys: Encoding<never>; values: Encoding<never> } {
  const pick = (role: 'keys' | 'values'): Encoding<never> => {
    const own = encodings[role]
    if (own !== undefined) return own
    const stored = persisted?.[role] ?? DEFAULTS[role]
    if (!isEncodingName(stored)) {
      throw new TableOptionsError(
        `table ${JSON.stringify(name)} was created with an encoding of its own for ${role} (${JSON.stringify(stored)}); pass it as the option ${role}`,
      )
    }
    return resolveEncoding(stored as EncodingName, role)
  }
  return { keys: pick('keys'), values: pick('values') }
}

const MOST_NAME_UNITS = 255

function persistedName(
  encoding: Encoding<never> | undefined,
  role: 'keys' | 'values',
): string | undefined {
  if (encoding === undefined) return undefined
  const { name } = encoding
  if (name === undefined) return CUSTOM_ENCODING
  if (typeof name === 'string' && name !== '' && name.length <= MOST_NAME_UNITS) return name
  throw new InvalidArgumentError(
    `the name of the encoding for ${role} must be text of 1 to ${MOST_NAME_UNITS} characters, got ${shown(name)}; it is stored with the table`,
  )
}

/** Copies only the given member: the caller's object may change later. */
function takeHistory(history: HistoryRetention): HistoryRetention {
  if (history === 'none' || history === 'all') return history
  if (typeof history === 'object' && history !== null) {
    assertMembers('history', history, HISTORY_MEMBERS)
    const { durationMs, versions } = history as { durationMs?: unknown; versions?: unknown }
    if (versions === undefined && isPositive(durationMs)) return { durationMs }
    if (durationMs === undefined && isPositive(versions)) return { versions }
  }
  throw new InvalidArgumentError(
    `history must be 'none', 'all', { durationMs } or { versions }, one of them and a whole number from 1 on; got ${historyInWords(history)}`,
  )
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function historyInWords(history: unknown): string {
  if (typeof history !== 'object' || history === null) return shown(history)
  const members = Object.entries(history).map(([name, value]) => `${name}: ${shown(value)}`)
  return `{ ${members.join(', ')} }`
}
