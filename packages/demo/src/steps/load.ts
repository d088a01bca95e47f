import type { Commit, Database } from '@firn/engine'
import { type City, cityKey, rankKey } from '../city.js'
import { startProgress } from '../progress.js'
import { tablesOf } from '../tables.js'
import type { Terminal } from '../terminal.js'
import { count, duration, perSecond } from '../units.js'

const CITIES_PER_BATCH = 1000
const RECORDS_PER_CITY = 2
const EMPTY = new Uint8Array(0)

/** Writes every city into both tables. Each batch is atomic, and durable before the next begins. */
export async function load(db: Database, cities: readonly City[], out: Terminal): Promise<Commit> {
  out.heading('Load')
  const { cities: table, ranking } = tablesOf(db)
  const progress = startProgress(out, cities.length, 'cities')
  let batches = 0
  const { result, ms } = await out.time(async () => {
    let commit: Commit | undefined
    for (let from = 0; from < cities.length; from += CITIES_PER_BATCH) {
      const batch = db.batch()
      for (const city of cities.slice(from, from + CITIES_PER_BATCH)) {
        batch.put(table, cityKey(city), city.facts)
        batch.put(ranking, rankKey(city), EMPTY)
      }
      commit = await batch.write()
      batches++
      progress.update(Math.min(from + CITIES_PER_BATCH, cities.length))
    }
    return commit
  })
  progress.stop()
  if (result === undefined) throw new Error('There are no cities to load')
  const records = cities.length * RECORDS_PER_CITY
  out.line(
    `${count(cities.length)} cities as ${count(records)} records in 2 tables: ` +
      `${duration(ms)}, ${perSecond(records, ms)}.`,
  )
  out.line(`${count(batches)} atomic batches, each on the disk before the next began.`)
  return result
}
