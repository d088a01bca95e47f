import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { CloudResults } from '../cloud/cloud-results.js'
import { cloudToMarkdown } from '../report/cloud-markdown.js'
import { toMarkdown } from '../report/markdown.js'
import { replaceSection } from '../report/readme.js'
import type { Results } from '../results.js'
import { README, RESULTS } from './arguments.js'

/** `report`: writes the table of a result into the README. */
export async function reportCommand(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { note: { type: 'string' } },
  })
  const file = positionals[0] ?? newest()
  const results = JSON.parse(readFileSync(file, 'utf8')) as Results | CloudResults
  if (results.format !== 1) throw new Error(`${file} is not a result of format 1`)
  if ('kind' in results) replaceSection(README, 'cloud', cloudToMarkdown(results))
  else replaceSection(README, 'results', toMarkdown(results, values.note))
  process.stderr.write(`wrote the table of ${file} into ${README}\n`)
}

/** Results are named by their time: the last name is the newest. */
function newest(): string {
  const names = readdirSync(RESULTS).filter((name) => /^\d{4}-.*\.json$/.test(name))
  const name = names.sort().at(-1)
  if (name === undefined) throw new Error('There are no results yet: npm run bench')
  return join(RESULTS, name)
}
