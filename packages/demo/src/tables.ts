import type { Database, ReadableTable, Table } from '@firn/engine'
import type { CityFacts, CityKey, RankKey } from './city.js'

export interface Tables {
  /** Facts by country, name and id. */
  cities: Table<CityKey, CityFacts>
  /** An index: nothing but keys, that sort by population. */
  ranking: Table<RankKey, Uint8Array>
}

/** The demo's two tables. They come into being at their first write. */
export function tablesOf(db: Database): Tables {
  return {
    cities: db.table<CityKey, CityFacts>('cities', { keys: 'tuple', values: 'json' }),
    ranking: db.table<RankKey, Uint8Array>('ranking', { keys: 'tuple' }),
  }
}

/** What only reads: a table of the present, or of a snapshot. */
export type ReadableCities = ReadableTable<CityKey, CityFacts>
