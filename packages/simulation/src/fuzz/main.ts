import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { toHex } from '@firn/bytes'
import { systemEnv } from '@firn/env'
import { fuzzInThread } from './fuzz-thread.js'
import type { FuzzReport } from './fuzzer.js'
import { fuzzTargets } from './targets.js'

const COMMAND = 'node packages/simulation/dist/fuzz/main.js'
/** The directory of failing inputs, beside the built code, which can be removed at any time. */
const FAILURES = fileURLToPath(new URL('../fuzz-failures', import.meta.url))
const USAGE = `${COMMAND} [--seconds N] [--seed S] [--target NAME] …   N seconds in all
${COMMAND} --target NAME --seed S --input I      one input, the one of this number
targets: ${fuzzTargets.map(({ name }) => name).join(' ')}`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string', multiple: true },
      input: { type: 'string' },
      failures: { type: 'string', default: FAILURES },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  const targets = values.target ?? fuzzTargets.map(({ name }) => name)
  const unknown = targets.find((target) => !fuzzTargets.some(({ name }) => name === target))
  if (unknown !== undefined) throw new Error(`no target ${unknown}; there are\n${USAGE}`)
  const seed = wholeNumber(values.seed)
  const once = values.input === undefined ? undefined : wholeNumber(values.input)
  const reports: FuzzReport[] = []
  for (const target of targets) {
    const startedAt = systemEnv.monotonic()
    const report = await fuzzInThread({
      target,
      seed,
      first: once ?? 0,
      seconds: once === undefined ? wholeNumber(values.seconds) / targets.length : Infinity,
      inputs: once === undefined ? Infinity : 1,
    })
    reports.push(report)
    console.log(inWords(report, systemEnv.monotonic() - startedAt))
    if (report.failure !== undefined) await tell(report, seed, values.failures)
  }
  const inputs = reports.reduce((sum, report) => sum + report.inputs, 0)
  const failed = reports.filter(({ failure }) => failure !== undefined)
  console.log(`${reports.length} targets, ${inputs} inputs, ${failed.length} failed`)
}

function inWords({ target, inputs, taken }: FuzzReport, ms: number): string {
  const rate = Math.round((inputs * 1000) / ms)
  const percent = Math.round((taken * 100) / Math.max(1, inputs))
  return `${target.padEnd(20)} ${String(inputs).padStart(9)} inputs, ${rate}/s, ${percent} % taken`
}

async function tell(report: FuzzReport, seed: number, directory: string): Promise<void> {
  const { target, failure } = report
  if (failure === undefined) return
  process.exitCode = 1
  await mkdir(directory, { recursive: true })
  const path = join(directory, `${target}-${seed}-${failure.number}.hex`)
  await writeFile(path, `${toHex(failure.bytes)}\n`)
  console.error(`  ${target}: ${failure.problem}`)
  console.error(`  ${failure.bytes.length} bytes, in ${path}`)
  console.error(
    `  replay: ${COMMAND} --target ${target} --seed ${seed} --input ${failure.number}\n`,
  )
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a whole number: ${text}`)
  return value
}

await main()
