import { parseArgs } from 'node:util'
import { runMany } from './command/run-many.js'
import { replayFile, runOne, shrinkSeed } from './command/run-one.js'

const USAGE = `node packages/simulation/dist/main.js, with

  [--seeds N] [--from S] [--twice]   runs N seeds from S on, on all cores; each one twice
  --minutes M [--from S]             as many as it can in M minutes
  --seed S [--trace]                 runs one; with --trace, prints what happens
  --seed S --shrink FILE             makes a failing run smaller, and writes it to a file; it fails for
                                     the same reason, or with --any-failure for any reason
  --replay FILE [--trace]            runs what a file holds

The exit status is 1 if a run failed.`

/** More seeds than any run has time for. */
const ENDLESS = 1_000_000_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      from: { type: 'string', default: '1' },
      twice: { type: 'boolean', default: false },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      shrink: { type: 'string' },
      'any-failure': { type: 'boolean', default: false },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const { trace, twice, replay, shrink } = values
  const [seed, minutes] = [values.seed, values.minutes].map(optionalNumber)
  if (values.help) console.log(USAGE)
  else if (replay !== undefined) await replayFile(replay, { trace })
  else if (seed !== undefined && shrink !== undefined)
    await shrinkSeed(seed, shrink, { anyFailure: values['any-failure'] })
  else if (seed !== undefined) await runOne(seed, { trace })
  else {
    const seeds = optionalNumber(values.seeds) ?? (minutes === undefined ? 100 : ENDLESS)
    await runMany({ from: wholeNumber(values.from), seeds, minutes, twice })
  }
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(text)
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a whole number: ${text}`)
  return value
}

await main()
