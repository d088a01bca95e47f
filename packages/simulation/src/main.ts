import { parseArgs } from 'node:util'
import { systemEnv } from '@firn/env'
import { type RunReport, runSeed } from './run-seed.js'

const USAGE = `node packages/simulation/dist/main.js [--seeds N] [--from S]   runs N seeds from S on
node packages/simulation/dist/main.js --seed S [--trace]        runs one, and tells what happens`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  if (values.seed !== undefined) {
    const onLine = values.trace ? { onLine: (line: string) => console.log(line) } : {}
    const report = await runSeed(wholeNumber(values.seed), onLine)
    console.log(summary([report], 0))
    if (report.failure !== undefined) tell(report)
    return
  }
  const from = wholeNumber(values.from)
  const reports: RunReport[] = []
  const startedAt = systemEnv.monotonic()
  for (let seed = from; seed < from + wholeNumber(values.seeds); seed++) {
    const report = await runSeed(seed)
    // Decisions would add up.
    reports.push({ ...report, decisions: [] })
    if (report.failure !== undefined) tell(report)
  }
  console.log(summary(reports, systemEnv.monotonic() - startedAt))
}

function tell({ seed, failure }: RunReport): void {
  process.exitCode = 1
  console.error(`seed ${seed} failed: ${failure?.message}`)
  if (failure?.cause instanceof Error) console.error(failure.cause.stack)
  console.error(`  replay: node packages/simulation/dist/main.js --seed ${seed} --trace\n`)
}

function summary(reports: readonly RunReport[], ms: number): string {
  const failed = reports.filter(({ failure }) => failure !== undefined)
  const sum = (of: (report: RunReport) => ReadonlyMap<string, number>): Map<string, number> => {
    const total = new Map<string, number>()
    for (const report of reports) {
      for (const [name, count] of of(report)) total.set(name, (total.get(name) ?? 0) + count)
    }
    return total
  }
  const events = reports.reduce((total, report) => total + report.events, 0)
  const rate = ms > 0 ? `, ${Math.round((reports.length * MINUTE_MS) / ms)} seeds a minute` : ''
  return [
    `${reports.length} seeds, ${failed.length} failed${rate}; ${events} events; hash ${reports.at(-1)?.hash}`,
    `operations: ${inWords(sum(({ operations }) => operations))}`,
    `faults: ${inWords(sum(({ faults }) => faults))}`,
    ...(failed.length > 0 ? [`failed: ${failed.map(({ seed }) => seed).join(' ')}`] : []),
  ].join('\n')
}

const MINUTE_MS = 60_000

function inWords(counts: ReadonlyMap<string, number>): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const parts = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return `${total} (${parts.map(([name, count]) => `${name} ${count}`).join(', ')})`
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a whole number: ${text}`)
  return value
}

await main()
