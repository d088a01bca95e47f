import { existsSync, readdirSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf, systemEnv } from '@firn/env'
import { readCities } from './dataset.js'
import { runDemo } from './demo.js'
import { Terminal } from './terminal.js'
import { count, duration } from './units.js'

const USAGE = `Usage: node packages/demo/dist/main.js [--directory <empty directory>]

Loads the cities of the world into a database, looks around in it, changes it and looks back.
Without --directory it works in a temporary one and removes it.
`

/** Returns the exit status: 0, 1 for a failure, 2 for wrong usage. */
async function main(): Promise<number> {
  let directory: string | undefined
  try {
    const { values } = parseArgs({
      options: { directory: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help === true) {
      process.stdout.write(USAGE)
      return 0
    }
    directory = values.directory
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`)
    return 2
  }
  if (directory !== undefined && existsSync(directory) && readdirSync(directory).length > 0) {
    process.stderr.write(`${directory} is not empty. Name another directory, or remove it.\n`)
    return 1
  }
  const place = directory ?? (await mkdtemp(join(tmpdir(), 'firn-demo-')))
  const interrupted = (): void => {
    if (directory === undefined) rmSync(place, { recursive: true, force: true })
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  const out = new Terminal(process.stdout, systemEnv)
  try {
    await tour(place, out)
    out.line()
    if (directory === undefined)
      out.note('The database was a temporary one. Keep it: --directory ./firn_data')
    else
      out.note(`The database stays in ${directory}. Look into it: firn --path ${directory} tables`)
    return 0
  } finally {
    process.off('SIGINT', interrupted)
    if (directory === undefined) await rm(place, { recursive: true, force: true })
  }
}

async function tour(directory: string, out: Terminal): Promise<void> {
  out.heading('Firn, on the cities of the world')
  const { result: cities, ms } = await out.time(readCities)
  out.line(`${count(cities.length)} cities from GeoNames, read in ${duration(ms)}.`)
  const { ms: total } = await out.time(() => runDemo({ cities, directory, env: systemEnv, out }))
  out.line()
  out.line(`All of this took ${duration(total)}.`)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`The demo failed: ${messageOf(error)}\n`)
  process.exitCode = 1
}
