import type { Database } from '@firn/engine'
import type { Env } from '@firn/env'
import { type City, type CityKey, cityKey } from '../city.js'
import { tablesOf } from '../tables.js'
import type { Terminal } from '../terminal.js'
import { count, duration, perSecond } from '../units.js'

const RANDOM_READS = 20_000

const ASKED_FOR: readonly CityKey[] = [
  ['US', 'New York City', 5128581],
  ['IS', 'Reykjavík', 3413829],
  ['CH', 'Zermatt', 2657928],
  ['AQ', 'Atlantis', 1],
]

/** Looks up some cities by key, then many at random. */
export async function lookUp(
  db: Database,
  cities: readonly City[],
  env: Env,
  out: Terminal,
): Promise<void> {
  out.heading('Look up by key')
  const { cities: table } = tablesOf(db)
  const rows: string[][] = []
  for (const key of ASKED_FOR) {
    const { result, ms } = await out.time(() => table.get(key))
    rows.push([
      JSON.stringify(key),
      result === undefined ? 'not found' : `${count(result.population)} inhabitants`,
      duration(ms),
    ])
  }
  out.table(['key', 'value', 'took'], rows)

  const chosen = Array.from(
    { length: RANDOM_READS },
    () => cities[Math.floor(env.random() * cities.length)] as City,
  )
  const { ms } = await out.time(async () => {
    for (const city of chosen) {
      const facts = await table.get(cityKey(city))
      if (facts?.population !== city.facts.population) {
        throw new Error('a city does not read back as it was written')
      }
    }
  })
  out.line()
  out.line(
    `${count(RANDOM_READS)} random cities, one after another, key encoded and value parsed: ` +
      `${duration(ms)}, ${perSecond(RANDOM_READS, ms)}.`,
  )
}
