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
failing run when it is made as small as can be, where it was; what it said is of the run before. A dash
stands for a bug that no run has found yet: the workload is blind to it, or it does no harm.

| mutant | the bug | seed | decisions | what the run said |
|---|---|---:|---:|---|`

/** Characters of what a run said that are shown. */
const SHOWN = 160

/** In place of a seed. */
const NOT_FOUND = '–'

/**
 * The seed that finds each mutant, as the checked-in table says; none of those that were never
 * found.
 */
export function knownSeeds(): Map<string, number> {
  const seeds = [...rows()].map(([name, row]): [string, string | undefined] => [
    name,
    row.split(' | ')[2],
  ])
  const found = seeds.filter(([, seed]) => seed !== NOT_FOUND)
  return new Map(found.map(([name, seed]) => [name, Number(seed)]))
}

/** The mutants that have a line in the table. */
export function listedMutants(): string[] {
  return [...rows().keys()]
}

/** Takes what a hunt was for into the table, and leaves out what isn't a mutant any more. */
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

function openRowOf({ name, bug }: Mutant): string {
  return `| ${name} | ${bug} | ${NOT_FOUND} |  |  |`
}

function inCell(violation: string): string {
  const [line = ''] = violation.split('\n')
  const shown = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
  return shown.replace(/[|<>\\]/g, (character) => `\\${character}`)
}
