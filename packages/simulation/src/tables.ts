import type { HistoryRetention } from '@firn/engine'

interface SimTable {
  name: string
  options: {
    keys: 'utf8'
    values: 'utf8'
    history: HistoryRetention
    compression: 'none' | 'lz4' | 'deflate'
  }
}

const TEXT = { keys: 'utf8', values: 'utf8' } as const

/** The table whose past never ends. */
export const ETERNAL = 'eternal'

/** The table of what has rules of its own (rules.ts): nobody else writes there. */
export const RULED = 'ruled'

/** The tables that anything is done to: one for each kind of history, and each compression. */
export const TABLES: readonly [SimTable, ...SimTable[]] = [
  { name: ETERNAL, options: { ...TEXT, history: 'all', compression: 'lz4' } },
  {
    name: 'day',
    options: { ...TEXT, history: { durationMs: 86_400_000 }, compression: 'deflate' },
  },
  { name: 'now', options: { ...TEXT, history: 'none', compression: 'none' } },
  { name: 'few', options: { ...TEXT, history: { versions: 2 }, compression: 'lz4' } },
  { name: 'brief', options: { ...TEXT, history: 'all', compression: 'deflate' } },
]

/** All tables of a run. */
export const ALL_TABLES: readonly SimTable[] = [
  ...TABLES,
  { name: RULED, options: { ...TEXT, history: { durationMs: 3_600_000 }, compression: 'lz4' } },
]

/** Those that are dropped now and then, one more often than the others. */
export const DROPPABLE: readonly [string, ...string[]] = ['brief', 'brief', 'few', 'now', 'day']

/** What a table of these is opened with. */
export function optionsOf(name: string): SimTable['options'] {
  const table = ALL_TABLES.find((each) => each.name === name)
  if (table === undefined) throw new Error(`there is no table ${name} in a simulation`)
  return table.options
}
