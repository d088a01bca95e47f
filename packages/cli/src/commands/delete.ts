import type { Command } from 'commander'
import { type CommandContext, type GlobalOptions, locationOf, tableOf } from '../command-context.js'
import { storedBytes, tableInfo, withDatabase } from '../database-access.js'
import { addExamples } from '../examples.js'
import { type ByteFormatOptions, byteFormatOf, byteFormatOptions } from '../option-parsers.js'
import { showCommit } from '../show-commit.js'
import { TableText } from '../text/table-text.js'

type Options = GlobalOptions & ByteFormatOptions

/** `firn delete <key>` */
export function defineDelete(program: Command, context: CommandContext): void {
  const command = program
    .command('delete')
    .alias('del')
    .summary('delete a key')
    .description(
      'Deletes a key. Deleting a missing key is no error. The old value can still be read with --at\n' +
        'while the table keeps its history.',
    )
    .argument('<key>', 'UTF-8 text; a JSON array if the table’s keys are tuples')
  for (const option of byteFormatOptions()) command.addOption(option)
  command.action((key: string, options: Options) => deleteKey(key, options, command, context))
  addExamples(command, [
    ['firn delete greeting', 'from the table default of ./firn_data'],
    [`firn delete --table users '["eu",7]'`, 'a tuple key'],
    ['firn delete --hex 00ff', 'a key of any bytes'],
  ])
}

async function deleteKey(
  key: string,
  options: Options,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const format = byteFormatOf(options)
  const location = locationOf(command, context)
  await withDatabase(location, 'write', context, async (database) => {
    const info = await tableInfo(database, tableOf(command), location)
    const keyBytes = new TableText(info, format).key(key)
    const table = database.table(info.name, storedBytes(info))
    await showCommit(context.output, await table.delete(keyBytes))
  })
}
