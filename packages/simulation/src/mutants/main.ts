import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { systemEnv } from '@firn/env'
import { hunt } from './hunt.js'
import type { Outcome } from './job.js'
import { MUTANTS } from './mutants.js'
import { knownSeeds, updateTable } from './table.js'

const USAGE = `node packages/simulation/dist/mutants/main.js
  finds every mutant with seeds from 1 on, makes their runs smaller, and writes MUTANTS.md
  --known      looks only for mutants with a seed in MUTANTS.md, beginning with it; changes nothing
  --only A,B   looks only for these
  --quick      doesn't make runs smaller
  --seeds N    tries at most N seeds of each mutant (default: 2000)
  --jobs N     N processes at a time (default: the number of cores)`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      known: { type: 'boolean', default: false },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '2000' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  const startedAt = systemEnv.monotonic()
  const all = values.known ? [...knownSeeds().keys()] : MUTANTS.map(({ name }) => name)
  const names = values.only?.split(',') ?? all
  const { found, survivors, control } = await hunt({
    names,
    ...(values.known ? { known: knownSeeds() } : {}),
    mostSeeds: Number(values.seeds),
    jobs: Number(values.jobs),
    shrinks: !values.known && !values.quick,
    onOutcome: (name, outcome) => console.log(inWords(name, outcome)),
  })
  const seconds = Math.round((systemEnv.monotonic() - startedAt) / 1000)
  console.log(`${found.size} of ${names.length} mutants were found, in ${seconds} s`)
  if (survivors.length > 0) console.log(`survived: ${survivors.join(' ')}`)
  if (control.seed !== undefined) {
    console.log(`without a mutant, seed ${control.seed} fails too: ${control.violation}`)
  }
  if (survivors.length > 0 || control.seed !== undefined) process.exitCode = 1
  if (!values.known && control.seed === undefined) updateTable(found, survivors)
}

function inWords(name: string, outcome: Outcome): string {
  if (outcome.seed === undefined) return `${name}: survived`
  const [said] = outcome.violation.split('\n')
  const { seed, decisions } = outcome
  const size = decisions === undefined ? '' : `, ${decisions} decisions`
  return `${name}: seed ${seed}${size}: ${said}`
}

await main()
