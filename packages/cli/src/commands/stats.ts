import type { DatabaseStats } from '@firn/engine'
import type { Command } from 'commander'
import { type CommandContext, locationOf } from '../command-context.js'
import { withDatabase } from '../database-access.js'
import { addExamples } from '../examples.js'
import type { Output } from '../output.js'
import { countOf, formatBytes, formatCount, formatTimestamp } from '../text/quantities.js'
import { atMost, upperBounds } from '../text/table-sizes.js'

/** `firn stats` */
export function defineStats(program: Command, context: CommandContext): void {
  const command = program
    .command('stats')
    .summary('show the shape and the size of the database')
    .description(
      'Shows the newest version, the levels of the tree with their sizes, the tables, and the requests\n' +
        'that this command made, with their cost in S3 and DynamoDB. Every version of a key counts as\n' +
        'a record, and so does a delete. ≤ marks an upper bound: a file of level 0 that several tables\n' +
        'share counts for each of them.',
    )
  command.action(() => stats(command, context))
  addExamples(command, [
    ['firn stats', 'of the database ./firn_data'],
    ['firn stats --json', 'all numbers, for programs'],
  ])
}

async function stats(command: Command, context: CommandContext): Promise<void> {
  const { output } = context
  const location = locationOf(command, context)
  const all = await withDatabase(location, 'read', context, (database) => database.stats())
  if (output.json) return output.document(all)
  await showSummary(all, output)
  await showLevels(all, output)
  await showTables(all, output)
}

async function showSummary(stats: DatabaseStats, output: Output): Promise<void> {
  const files = stats.levels.reduce((sum, level) => sum + level.files, 0)
  const bytes = stats.levels.reduce((sum, level) => sum + level.bytes, 0)
  const { records, bytes: memoryBytes } = stats.memtables
  const { read, space } = stats.amplification
  const facts: [string, string][] = [
    ['version', `${formatCount(stats.version)}, of ${formatTimestamp(stats.timestamp)}`],
    ['files', `${countOf(files, 'file')}, ${formatBytes(bytes)}`],
    ['in the log only', `${countOf(records, 'record')}, ${formatBytes(memoryBytes)} in memory`],
    ['in files up to', `version ${formatCount(stats.flushedThrough)}`],
    ['read amplification', `${formatCount(read)} places to search for a key`],
    ['space amplification', space.toFixed(2)],
    ['this command made', requestsOf(stats)],
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  for (const [name, fact] of facts) {
    await output.line(output.paint('bold', name.padEnd(width)), `  ${fact}`)
  }
}

/**
 * Describes the requests that opening made to the store and the log, with their cost if there is
 * one.
 */
function requestsOf({ requests }: DatabaseStats): string {
  const made = `${countOf(requests.requests, 'request')}, ${formatBytes(requests.bytesRead)} read`
  return requests.dollars === 0 ? made : `${made}, $${requests.dollars.toFixed(7)}`
}

async function showLevels(stats: DatabaseStats, output: Output): Promise<void> {
  const levels = stats.levels.filter((level) => level.files > 0)
  if (levels.length === 0) return
  await output.line('')
  await output.table(
    [
      { title: 'level' },
      { title: 'files', align: 'right' },
      { title: 'bytes', align: 'right' },
      { title: 'records', align: 'right' },
      { title: 'deletes', align: 'right' },
    ],
    levels.map((level) => [
      `L${level.level}`,
      formatCount(level.files),
      formatBytes(level.bytes),
      formatCount(level.records),
      formatCount(level.deletes),
    ]),
  )
}

async function showTables(stats: DatabaseStats, output: Output): Promise<void> {
  if (stats.tables.length === 0) return
  await output.line('')
  await output.table(
    [
      { title: 'table' },
      { title: 'files', align: 'right' },
      { title: 'bytes', align: 'right' },
      { title: 'records', align: 'right' },
      { title: 'in the log only', align: 'right' },
    ],
    stats.tables.map((table) => [
      table.name,
      formatCount(table.files),
      atMost(table, formatBytes(table.bytes)),
      atMost(table, formatCount(table.records)),
      formatCount(table.memtables.records),
    ]),
  )
  const remark = upperBounds(stats.tables)
  if (remark !== undefined && output.isTerminal) await output.note(remark)
}
