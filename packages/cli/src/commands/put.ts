import type { Command } from 'commander'
import { type CommandContext, type GlobalOptions, locationOf, tableOf } from '../command-context.js'
import { encodingsOf, storedBytes, withDatabase } from '../database-access.js'
import { UsageError } from '../errors.js'
import { addExamples } from '../examples.js'
import { readAll } from '../input-bytes.js'
import {
  type ByteFormatOptions,
  byteFormatOf,
  byteFormatOptions,
  type EncodingOptions,
  encodingOptions,
} from '../option-parsers.js'
import { showCommit } from '../show-commit.js'
import { TableText } from '../text/table-text.js'

type Options = GlobalOptions & ByteFormatOptions & EncodingOptions

/** `firn put <key> [value]` */
export function definePut(program: Command, context: CommandContext): void {
  const command = program
    .command('put')
    .alias('set')
    .summary('write the value of a key')
    .description(
      'Writes the value of a key. The first write creates the database and the table. Without a value\n' +
        'on the command line, the value is read from stdin, byte by byte.',
    )
    .argument('<key>', 'UTF-8 text; a JSON array if the table’s keys are tuples')
    .argument('[value]', 'UTF-8 text; JSON if the table’s values are JSON or tuples')
  for (const option of [...byteFormatOptions(), ...encodingOptions()]) command.addOption(option)
  command.action((key: string, value: string | undefined, options: Options) =>
    put(key, value, options, command, context),
  )
  addExamples(command, [
    ['firn put greeting hello', 'into the table default of ./firn_data'],
    ['firn put photo < cat.jpg', 'a value of any bytes'],
    ['firn put --hex 00ff cafe', 'a key and a value of any bytes'],
    [
      `firn put --table users --keys tuple --values json '["eu",7]' '{"name":"Ada"}'`,
      'into a table whose keys are tuples and whose values are JSON',
    ],
    ['firn put -- -5 minus', 'after --, nothing is an option'],
  ])
}

async function put(
  key: string,
  value: string | undefined,
  options: Options,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const format = byteFormatOf(options)
  const location = locationOf(command, context)
  const name = tableOf(command)
  const { io, output } = context
  if (value === undefined && io.stdin.isTTY) {
    throw new UsageError(
      'the value is missing; use firn put <key> <value>, or firn put <key> < file',
    )
  }
  const given = value ?? (await readAll(io.stdin))
  await withDatabase(location, 'create', context, async (database) => {
    const existing = await encodingsOf(database, name)
    const encodings = {
      keys: options.keys ?? existing?.keys ?? 'bytes',
      values: options.values ?? existing?.values ?? 'bytes',
    }
    const text = new TableText(encodings, format)
    const keyBytes = text.key(key)
    const valueBytes = typeof given === 'string' ? text.value(given) : text.pipedValue(given)
    const table = database.table(name, storedBytes(encodings))
    await showCommit(output, await table.put(keyBytes, valueBytes))
  })
}
