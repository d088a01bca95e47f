import type { Database, TableInfo } from '@firn/engine'
import type { Command } from 'commander'
import {
  type CommandContext,
  type GlobalOptions,
  givenTable,
  locationOf,
} from '../command-context.js'
import { tableInfo, withDatabase } from '../database-access.js'
import { addExamples } from '../examples.js'
import { MOMENT_HELP, parseMoment } from '../moment.js'
import { type ByteFormatOptions, byteFormatOf, byteFormatOptions } from '../option-parsers.js'
import { snapshotPages } from '../snapshot-pages.js'
import type { ByteFormat } from '../text/byte-text.js'
import { rowJson } from '../text/row-json.js'
import { TableText } from '../text/table-text.js'

type Options = GlobalOptions & ByteFormatOptions & { at?: string }

/** `firn dump` */
export function defineDump(program: Command, context: CommandContext): void {
  const command = program
    .command('dump')
    .summary('print the database as JSON lines that load reads back')
    .description(
      'Prints every row of every table, or of one, as a line of JSON: {"table":…,"key":…,"value":…}.\n' +
        'The first row of each table also holds the options to create it with. Nothing is lost: a row\n' +
        'that JSON can’t hold is printed as Base64, with "encoding":"base64". All rows are of one moment.',
    )
    .option('--at <moment>', MOMENT_HELP)
  for (const option of byteFormatOptions()) command.addOption(option)
  command.action((options: Options) => dump(options, command, context))
  addExamples(command, [
    ['firn dump > backup.jsonl', 'all tables'],
    ['firn dump | firn load - --path ./copy', 'into another database'],
    ['firn dump --table cities --at 2d', 'one table as it was two days ago'],
  ])
}

async function dump(options: Options, command: Command, context: CommandContext): Promise<void> {
  const format = byteFormatOf(options)
  const at = options.at === undefined ? undefined : parseMoment(options.at, context.clock)
  const location = locationOf(command, context)
  const only = givenTable(command)
  await withDatabase(location, 'read', context, async (database) => {
    const tables =
      only === undefined ? await database.tables() : [await tableInfo(database, only, location)]
    // All tables as of one version, even while other processes write.
    const snapshot = await database.snapshot({ at })
    const { version } = snapshot
    await snapshot.close()
    for (const table of tables) await dumpTable(database, version, table, format, context)
  })
}

async function dumpTable(
  database: Database,
  version: number,
  info: TableInfo,
  format: ByteFormat,
  context: CommandContext,
): Promise<void> {
  const text = new TableText(info, format)
  const { keys, values, history, compression } = info
  const name = `"table":${JSON.stringify(info.name)}`
  const options = JSON.stringify({ keys, values, history, compression })
  let members = `${name},"options":${options}`
  for await (const page of snapshotPages(database, { version }, info)) {
    let lines = ''
    for (const [key, value] of page) {
      lines += `${rowJson(text, key, value, members)}\n`
      members = name
    }
    await context.output.jsonLines(lines)
  }
}
