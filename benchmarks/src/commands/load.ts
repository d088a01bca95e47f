import { fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { timestamp } from '../clock.js'
import type { LoadReport, ReopenReport } from '../load-child.js'
import { describeMachine } from '../machine.js'
import { formatBytes, formatValue } from '../report/format.js'
import { inScratch } from '../scratch.js'
import { positiveInteger, RESULTS } from './arguments.js'

const CHILD = fileURLToPath(new URL('../load-child.js', import.meta.url))

/** `load`: the memory that a large load takes, and how long it is to open what it left. */
export async function loadCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      records: { type: 'string', default: '5000000' },
      json: { type: 'string', default: join(RESULTS, 'load.json') },
    },
  })
  const records = positiveInteger(values.records, 'records')
  await inScratch('firn-load-', undefined, async (base) => {
    // Two processes, so that the second opens with nothing in its memory.
    const loaded = await inChild<LoadReport>('load', records, base)
    const reopened = await inChild<ReopenReport>('reopen', records, base)
    const machine = describeMachine(base)
    const report = { format: 1, measuredAt: timestamp(), machine, records, loaded, reopened }
    mkdirSync(dirname(values.json), { recursive: true })
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
    process.stdout.write(
      [
        `${records.toLocaleString('en')} records loaded at ${formatValue(loaded.recordsPerSecond, 'ops/s')}`,
        `memory: ${formatBytes(loaded.peakRssBytes)} at its peak, ${formatBytes(loaded.endRssBytes)} at the end (resident)`,
        `on disk: ${formatBytes(loaded.diskBytes)}`,
        `closed in ${formatValue(loaded.closeMs, 'ms')}`,
        `reopened in ${formatValue(reopened.openMs, 'ms')}, first read after ${formatValue(reopened.firstReadMs, 'ms')}`,
        `${reopened.checked.toLocaleString('en')} records read back and compared`,
        '',
      ].join('\n'),
    )
  })
}

function inChild<T>(step: string, records: number, directory: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [step, String(records), directory], {
      execArgv: ['--enable-source-maps'],
    })
    let report: T | undefined
    child.on('message', (message) => {
      report = message as T
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (report !== undefined && code === 0) resolve(report)
      else reject(new Error(`the ${step} ended early with ${signal ?? `status ${code}`}`))
    })
  })
}
