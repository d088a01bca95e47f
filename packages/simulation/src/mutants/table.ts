import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Failed } from './job.js'
import type { Mutant } from './mutant.js'
import { MUTANTS } from './mutants.js'

/** MUTANTS.md: the seed that finds each mutant, as runs have shown. */
const TABLE = fileURLToPath(new URL('../../MUTANTS.md', import.meta.url))

const HEAD = `# Mutants

Bugs planted into the built code, one at a time, and the first seed that finds each of them. Written by
\`npm run mutants\`; \`src/mutants/\` has the changes of code. "Decisions" counts what is left of the failing run
after it was made as small as possible, if it was; the message is from the run before that. A dash means that
no run has found the bug yet: the workload is blind to it, or it does no harm.

| mutant | the bug | seed | decisions | what the run said |
|---|---|---:|---:|---|`

/** How many characters of a run's message are shown. */
const SHOWN = 160

/** Replaces the seed. */
const NOT_FOUND = '–'

/**
 * Returns the seed that finds each mutant, by the checked-in table; mutants that were never found
 * are left out.
 */
export function knownSeeds(): Map<string, number> {
  const seeds = [...rows()].map(([name, row]): [string, string | undefined] => [
    name,
    row.split(' | ')[2],
  ])
  const found = seeds.filter(([, seed]) => seed !== NOT_FOUND)
  return new Map(found.map(([name, seed]) => [name, Number(seed)]))
}

/** Returns the mutants that have a line in the table. */
export function listedMutants(): string[] {
  return [...rows().keys()]
}

/** Writes the results of a hunt into the table, and removes mutants that no longer exist. */
export function updateTable(
  found: ReadonlyMap<string, Failed>,
  survivors: readonly string[],
): void {
  const before = rows()
  const lines = MUTANTS.flatMap((mutant) => {
    const failed = found.get(mutant.name)
    if (failed !== undefined) return rowOf(mutant, failed)
    return survivors.includes(mutant.name) ? openRowOf(mutant) : (before.get(mutant.name) ?? [])
  })
  writeFileSync(TABLE, `${[HEAD, ...lines].join('\n')}\n`)
}

/** Returns its rows, by the names of their mutants. */
function rows(): Map<string, string> {
  if (!existsSync(TABLE)) return new Map()
  const found = readFileSync(TABLE, 'utf8').matchAll(/^\| ([a-z-]+) \| .* \|$/gm)
  const named = [...found].map(([row, name = '']): [string, string] => [name, row])
  return new Map(named.filter(([name]) => name !== 'mutant'))
}

function rowOf({ name, bug }: Mutant, { seed, decisions, violation }: Failed): string {
  return `| ${name} | ${bug} | ${seed} | ${decisions ?? ''} | ${inCell(violation)} |`
}

function openRowOf({ name, bug }: Mutant): string {
  return `| ${name} | ${bug} | ${NOT_FOUND} |  |  |`
}

function inCell(violation: string): string {
  const [line = ''] = violation.split('\n')
  const shown = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
  return shown.replace(/[|<>\\]/g, (character) => `\\${character}`)
}
