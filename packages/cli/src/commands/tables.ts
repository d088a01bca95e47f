import type { Database, TableInfo } from '@firn/engine'
import type { Command } from 'commander'
import { type CommandContext, locationOf } from '../command-context.js'
import { storedBytes, withDatabase } from '../database-access.js'
import { addExamples } from '../examples.js'
import { historyText } from '../history-text.js'
import { countOf, formatBytes, formatCount } from '../text/quantities.js'
import { atMost, upperBounds } from '../text/table-sizes.js'

/** `firn tables` */
export function defineTables(program: Command, context: CommandContext): void {
  const command = program
    .command('tables')
    .summary('list the tables')
    .description(
      'Lists the tables with their encodings and sizes. Records are those in files and in the log: every\n' +
        'version of a key counts, and so does a delete. Bytes are those of files. ≤ marks an upper bound:\n' +
        'a file of level 0 that several tables share counts for each of them. --count reads the tables\n' +
        'and counts their keys.',
    )
    .option('--count', 'count the keys, which reads every table')
  command.action((options: { count?: boolean }) => listTables(options, command, context))
  addExamples(command, [
    ['firn tables', 'the tables of ./firn_data'],
    ['firn tables --count', 'with the number of keys in each'],
    ['firn tables --json', 'for programs: one array of objects'],
  ])
}

async function listTables(
  options: { count?: boolean },
  command: Command,
  context: CommandContext,
): Promise<void> {
  const location = locationOf(command, context)
  const { output } = context
  await withDatabase(location, 'read', context, async (database) => {
    const tables = await database.tables()
    const counts = options.count === true ? await countKeys(database, tables) : undefined
    if (output.json) {
      return output.document(
        tables.map((table, at) => (counts === undefined ? table : { ...table, count: counts[at] })),
      )
    }
    await output.table(
      [
        { title: 'table' },
        ...(counts === undefined ? [] : [{ title: 'keys', align: 'right' } as const]),
        { title: 'key type' },
        { title: 'value type' },
        { title: 'history' },
        { title: 'compression' },
        { title: 'files', align: 'right' },
        { title: 'records', align: 'right' },
        { title: 'bytes', align: 'right' },
      ],
      tables.map((table, at) => [
        table.name,
        ...(counts === undefined ? [] : [formatCount(counts[at] ?? 0)]),
        table.keys,
        table.values,
        historyText(table.history),
        table.compression,
        formatCount(table.files),
        atMost(table, formatCount(table.records)),
        atMost(table, formatBytes(table.bytes)),
      ]),
    )
    if (!output.isTerminal) return
    const bounds = upperBounds(tables)
    await output.note(
      `${countOf(tables.length, 'table')}${bounds === undefined ? '' : `; ${bounds}`}`,
    )
  })
}

async function countKeys(database: Database, tables: readonly TableInfo[]): Promise<number[]> {
  const counts: number[] = []
  for (const info of tables) {
    counts.push(await database.table(info.name, storedBytes(info)).count())
  }
  return counts
}
