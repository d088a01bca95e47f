import type { Database, TableInfo } from '@firn/engine'
import type { Command } from 'commander'
import { type CommandContext, locationOf } from '../command-context.js'
import { storedBytes, withDatabase } from '../database-access.js'
import { addExamples } from '../examples.js'
import { historyText } from '../history-text.js'
import { countOf, formatBytes, formatCount } from '../text/quantities.js'

/** `firn tables` */
export function defineTables(program: Command, context: CommandContext): void {
  const command = program
    .command('tables')
    .summary('list the tables')
    .description(
      'Lists the tables with their encodings and sizes. Records and bytes are those of the table’s\n' +
        'own files: versions and deletes count, those in the log and in level 0 don’t. --count reads\n' +
        'the tables and counts their keys.',
    )
    .option('--count', 'count the keys, which reads every table')
  command.action((options: { count?: boolean }) => listTables(options, command, context))
  addExamples(command, [
    ['firn tables', 'the tables of ./firn_data'],
    ['firn tables --count', 'with how many keys each has'],
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
        formatCount(table.records),
        formatBytes(table.bytes),
      ]),
    )
    if (output.isTerminal) await output.note(await remark(database, tables.length))
  })
}

/** Where the records are that no table's own files hold yet. */
async function remark(database: Database, tables: number): Promise<string> {
  const { levels, memtables } = await database.stats()
  const shared = memtables.records + (levels.find(({ level }) => level === 0)?.records ?? 0)
  const apart =
    shared === 0 ? '' : `; ${countOf(shared, 'record')} of any table in the log and level 0`
  return `${countOf(tables, 'table')}${apart}`
}

async function countKeys(database: Database, tables: readonly TableInfo[]): Promise<number[]> {
  const counts: number[] = []
  for (const info of tables) {
    counts.push(await database.table(info.name, storedBytes(info)).count())
  }
  return counts
}
