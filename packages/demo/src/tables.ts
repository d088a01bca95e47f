import type { Database, ReadableTable, Table } from '@firn/engine'
import type { CityFacts, CityKey, RankKey } from './city.js'

export interface Tables {
  /** Facts by country, name and id. */
  cities: Table<CityKey, CityFacts>
  /** An index: keys only, sorted by population. */
  ranking: Table<RankKey, Uint8Array>
}

/** Returns the demo's two tables. The first write creates them. */
export function tablesOf(db: Database): Tables {
  return {
    cities: db.table<CityKey, CityFacts>('cities', { keys: 'tuple', values: 'json' }),
    ranking: db.table<RankKey, Uint8Array>('ranking', { keys: 'tuple' }),
  }
}

/** A table that can only be read: of the present or of a snapshot. */
export type ReadableCities = ReadableTable<CityKey, CityFacts>
