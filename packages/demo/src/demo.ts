import { type DatabaseStats, open } from '@firn/engine'
import type { Env } from '@firn/env'
import type { City } from './city.js'
import { type Before, change, lookBack } from './steps/changes.js'
import { load } from './steps/load.js'
import { lookUp } from './steps/lookups.js'
import { scanRanges } from './steps/ranges.js'
import { showTree } from './steps/tree.js'
import type { Terminal } from './terminal.js'
import { duration } from './units.js'

export interface DemoOptions {
  cities: readonly City[]
  /** The directory of the database: empty, or not created yet. */
  directory: string
  env: Env
  out: Terminal
}

/** Runs the whole tour. Throws if anything differs from what was written. */
export async function runDemo(options: DemoOptions): Promise<DatabaseStats> {
  const { cities, directory, env, out } = options
  const location = `file:${directory}`
  const before = await firstVisit(location, options)

  out.heading('Reopen')
  const { result: db, ms } = await out.time(() => open(location, { env }))
  try {
    out.line(`Closed, and opened again in ${duration(ms)}. Present and past are as they were:`)
    out.line()
    await lookBack(db, before, out)
    const total = await db.table('cities', { keys: 'tuple', values: 'json' }).count()
    if (total !== cities.length - 1) throw new Error('reopening lost or made up cities')
    return await showTree(db, out)
  } finally {
    await db.close()
  }
}

async function firstVisit(location: string, options: DemoOptions): Promise<Before> {
  const { cities, env, out } = options
  await using db = await open(location, { env })
  const loaded = await load(db, cities, out)
  await lookUp(db, cities, env, out)
  await scanRanges(db, out)
  // A Date has milliseconds: take the first one at or after the end of the load.
  const time = new Date(Math.ceil(loaded.timestamp / 1000))
  const before = { version: loaded.version, time }
  await change(db, before, out)
  return before
}
