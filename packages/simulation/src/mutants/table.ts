import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Failed } from './job.js'
import type { Mutant } from './mutant.js'
import { MUTANTS } from './mutants.js'

/** MUTANTS.md: by which seed each mutant is found, as runs have shown. */
const TABLE = fileURLToPath(new URL('../../MUTANTS.md', import.meta.url))

const HEAD = `# Mutants

Bugs planted into the built code, one at a time, and the first seed that finds each of them. Written by
\`npm run mutants\`; \`src/mutants/\` has the changes of code. Decisions are those that are left of the
failing run when it is made as small as can be; what it said is of the run before.

| mutant | the bug | seed | decisions | what the run said |
|---|---|---:|---:|---|`

/** Characters of what a run said that are shown. */
const SHOWN = 160

/** The seed that finds each mutant, as the checked-in table says. */
export function knownSeeds(): Map<string, number> {
  const seeds = [...rows()].map(([name, row]): [string, number] => [
    name,
    Number(row.split(' | ')[2]),
  ])
  return new Map(seeds)
}

/** Takes what was found into the table, and leaves out what isn't a mutant any more. */
export function updateTable(found: ReadonlyMap<string, Failed>): void {
  const before = rows()
  const lines = MUTANTS.flatMap((mutant) => {
    const failed = found.get(mutant.name)
    return (failed === undefined ? before.get(mutant.name) : rowOf(mutant, failed)) ?? []
  })
  writeFileSync(TABLE, `${[HEAD, ...lines].join('\n')}\n`)
}

/** Its rows, by their mutants' names. */
function rows(): Map<string, string> {
  if (!existsSync(TABLE)) return new Map()
  const found = readFileSync(TABLE, 'utf8').matchAll(/^\| ([a-z-]+) \| .* \|$/gm)
  const named = [...found].map(([row, name = '']): [string, string] => [name, row])
  return new Map(named.filter(([name]) => name !== 'mutant'))
}

function rowOf({ name, bug }: Mutant, { seed, decisions, violation }: Failed): string {
  return `| ${name} | ${bug} | ${seed} | ${decisions ?? ''} | ${inCell(violation)} |`
}

function inCell(violation: string): string {
  const [line = ''] = violation.split('\n')
  const shown = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
  return shown.replace(/[|<>\\]/g, (character) => `\\${character}`)
}
