import type { HistoryRetention } from '@firn/engine'
import type { KeyKind, ValueKind } from './client/text-keys.js'

export interface SimTable {
  name: string
  options: {
    keys: KeyKind
    values: ValueKind
    history: HistoryRetention
    compression: 'none' | 'lz4' | 'deflate'
  }
}

const TEXT = { keys: 'utf8', values: 'utf8' } as const
const BYTES = { keys: 'bytes', values: 'bytes' } as const
const TUPLES = { keys: 'tuple', values: 'utf8' } as const
const TUPLES_OF_BYTES = { keys: 'tuple', values: 'bytes' } as const

/** The table whose past never ends. */
export const ETERNAL = 'eternal'

/** The table with rules of its own (rules.ts): only their transactions write to it. */
export const RULED = 'ruled'

/**
 * The tables that all operations use: one for each kind of history, of keys, and each compression.
 */
export const TABLES: readonly [SimTable, ...SimTable[]] = [
  { name: ETERNAL, options: { ...BYTES, history: 'all', compression: 'lz4' } },
  {
    name: 'day',
    options: { ...TUPLES, history: { durationMs: 86_400_000 }, compression: 'deflate' },
  },
  { name: 'now', options: { ...TEXT, history: 'none', compression: 'none' } },
  { name: 'few', options: { ...BYTES, history: { versions: 2 }, compression: 'lz4' } },
  { name: 'brief', options: { ...TUPLES_OF_BYTES, history: 'all', compression: 'deflate' } },
]

/** All tables of a run. */
export const ALL_TABLES: readonly SimTable[] = [
  ...TABLES,
  { name: RULED, options: { ...BYTES, history: { durationMs: 3_600_000 }, compression: 'lz4' } },
]

/** The tables that are sometimes dropped, one more often than the others. */
export const DROPPABLE: readonly [string, ...string[]] = ['brief', 'brief', 'few', 'now', 'day']

/** Returns the options with which a table of these is opened. */
export function optionsOf(name: string): SimTable['options'] {
  const table = ALL_TABLES.find((each) => each.name === name)
  if (table === undefined) throw new Error(`there is no table ${name} in a simulation`)
  return table.options
}

/** Returns how the keys of a table are stored; keys of unknown tables are text. */
export function keysOf(name: string): KeyKind {
  return ALL_TABLES.find((each) => each.name === name)?.options.keys ?? 'utf8'
}
