import type { Commit, Database } from '@firn/engine'
import { type City, cityKey, rankKey } from '../city.js'
import { type ReadableCities, tablesOf } from '../tables.js'
import type { Terminal } from '../terminal.js'
import { count, moment } from '../units.js'

type Place = Omit<City, 'facts'>

const REYKJAVIK: Place = { country: 'IS', name: 'Reykjavík', id: 3413829 }
const KEFLAVIK: Place = { country: 'IS', name: 'Keflavík', id: 3415496 }

/** Inhabitants on 1 January 2023, by Statistics Iceland. */
const INHABITANTS = 138_772
const EMPTY = new Uint8Array(0)

/** A moment before the change, by its version and by the wall clock. */
export interface Before {
  version: number
  time: Date
}

/** Changes two cities in both tables at once, then reads their present and past. */
export async function change(db: Database, before: Before, out: Terminal): Promise<Commit> {
  out.heading('Change, and look back')
  const { cities, ranking } = tablesOf(db)
  const reykjavik = await mustFind(cities, REYKJAVIK)
  const keflavik = await mustFind(cities, KEFLAVIK)
  const grown: City = { ...reykjavik, facts: { ...reykjavik.facts, population: INHABITANTS } }

  const commit = await db
    .batch()
    .put(cities, cityKey(grown), grown.facts)
    .delete(ranking, rankKey(reykjavik))
    .put(ranking, rankKey(grown), EMPTY)
    .delete(cities, cityKey(keflavik))
    .delete(ranking, rankKey(keflavik))
    .write()
  out.line('Reykjavík grows, and Keflavík goes (it is part of Reykjanesbær today): five writes in')
  out.line(`two tables, one commit. It is version ${count(commit.version)}.`)
  out.line()
  await lookBack(db, before, out)
  return commit
}

/** Reads both cities and the index now, at the version before, and at the time before. */
export async function lookBack(db: Database, before: Before, out: Terminal): Promise<void> {
  await using atVersion = await db.snapshot({ at: { version: before.version } })
  await using atTime = await db.snapshot({ at: before.time })
  const rows = [
    await describe(`now, version ${count(db.version)}`, db),
    await describe(`at version ${count(before.version)}`, atVersion),
    await describe(`at ${moment(before.time.getTime() * 1000)}`, atTime),
  ]
  out.table(['', 'Reykjavík', 'Keflavík', 'cities', 'in the index'], rows)
  const [now, ...past] = rows.map((row) => row.slice(1).join())
  if (past.some((row) => row === now || row !== past[0])) {
    throw new Error('the past does not read as it was')
  }
}

/** Reads tables: a database or a snapshot of it. */
type Reader = Pick<Database, 'table'> | Awaited<ReturnType<Database['snapshot']>>

async function describe(when: string, reader: Reader): Promise<string[]> {
  const { cities, ranking } = tablesOf(reader as Database)
  const inhabitants = async (place: Place): Promise<string> => {
    const facts = await cities.get(cityKey(place))
    return facts === undefined ? '–' : count(facts.population)
  }
  return [
    when,
    await inhabitants(REYKJAVIK),
    await inhabitants(KEFLAVIK),
    count(await cities.count()),
    count(await ranking.count()),
  ]
}

async function mustFind(cities: ReadableCities, place: Place): Promise<City> {
  const facts = await cities.get(cityKey(place))
  if (facts === undefined) throw new Error(`There is no ${place.name} in the data set`)
  return { ...place, facts }
}
