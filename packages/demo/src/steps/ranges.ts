import type { Database } from '@firn/engine'
import { tablesOf } from '../tables.js'
import type { Terminal } from '../terminal.js'
import { count, duration, perSecond } from '../units.js'

const BIGGEST = 10
const METROPOLIS = 5_000_000

/** Scans ranges of both tables: by prefix, by bounds, in reverse, and everything. */
export async function scanRanges(db: Database, out: Terminal): Promise<void> {
  out.heading('Scan ranges')
  const { cities, ranking } = tablesOf(db)

  const iceland = await out.time(() => cities.scan({ prefix: ['IS'] }).toArray())
  const names = iceland.result.map(([[, name]]) => name ?? '')
  out.line(`${count(names.length)} cities begin with ["IS"] (${duration(iceland.ms)}):`)
  out.note(`${names.slice(0, 6).join(', ')} … ${names.slice(-2).join(', ')}`)

  const springs = await out.time(() =>
    cities.count({ gte: ['US', 'Spring'], lt: ['US', 'Sprinh'] }),
  )
  out.line(
    `${count(springs.result)} lie from ["US", "Spring"] up to ["US", "Sprinh"] (${duration(springs.ms)}).`,
  )

  const metropolises = await ranking.count({ gte: [METROPOLIS] })
  const biggest = await ranking.scan({ reverse: true, limit: BIGGEST }).toArray()
  out.line(`${count(metropolises)} have ${count(METROPOLIS)} inhabitants or more; the biggest:`)
  out.table(
    ['inhabitants', '', ''],
    biggest.map(([[population, country, name]]) => [count(population), country ?? '', name ?? '']),
  )

  const all = await out.time(async () => {
    let people = 0
    let rows = 0
    for await (const page of cities.scan().pages()) {
      for (const [, facts] of page) people += facts.population
      rows += page.length
    }
    return { people, rows }
  })
  out.line()
  out.line(
    `All ${count(all.result.rows)} cities have ${count(all.result.people)} inhabitants together ` +
      `(${duration(all.ms)}, ${perSecond(all.result.rows, all.ms)}, values parsed).`,
  )
}
