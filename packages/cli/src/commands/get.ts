import type { Command } from 'commander'
import { type CommandContext, type GlobalOptions, locationOf, tableOf } from '../command-context.js'
import { storedBytes, tableInfo, withDatabase } from '../database-access.js'
import { CommandError, UsageError } from '../errors.js'
import { addExamples } from '../examples.js'
import { MOMENT_HELP, parseMoment } from '../moment.js'
import { type ByteFormatOptions, byteFormatOf, byteFormatOptions } from '../option-parsers.js'
import { utf8OrUndefined } from '../text/byte-text.js'
import { rowJson } from '../text/row-json.js'
import { TableText } from '../text/table-text.js'

type Options = GlobalOptions & ByteFormatOptions & { at?: string; raw?: boolean }

/** `firn get <key>` */
export function defineGet(program: Command, context: CommandContext): void {
  const command = program
    .command('get')
    .summary('print the value of a key')
    .description(
      'Prints the value of a key, now or as it was. A value that isn’t UTF-8 prints with escapes\n' +
        '(\\xNN); --raw, --hex and --base64 print all bytes. If the key is missing, the exit status is 1.',
    )
    .argument('<key>', 'UTF-8 text; a JSON array if the table’s keys are tuples')
    .option('--at <moment>', MOMENT_HELP)
    .option('--raw', 'the bytes of the value, nothing else')
  for (const option of byteFormatOptions()) command.addOption(option)
  command.action((key: string, options: Options) => get(key, options, command, context))
  addExamples(command, [
    ['firn get greeting', 'the value now'],
    ['firn get greeting --at 3', 'as of version 3'],
    ['firn get greeting --at 15m', 'as of 15 minutes ago'],
    [`firn get --table users '["eu",7]' --json`, 'for programs: {"key":["eu",7],"value":…}'],
    ['firn get photo --raw > cat.jpg', 'into a file'],
  ])
}

async function get(
  key: string,
  options: Options,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const format = byteFormatOf(options)
  if (options.raw === true && (format !== 'text' || context.output.json)) {
    throw new UsageError('--raw can’t be combined with --hex, --base64 or --json; leave one out')
  }
  const at = options.at === undefined ? undefined : parseMoment(options.at, context.clock)
  const location = locationOf(command, context)
  const { output } = context
  await withDatabase(location, 'read', context, async (database) => {
    const info = await tableInfo(database, tableOf(command), location)
    const keyText = new TableText(info, format)
    const keyBytes = keyText.key(key)
    const table = database.table(info.name, storedBytes(info))
    const value = await table.get(keyBytes, { at })
    if (value === undefined) {
      const when = at === undefined ? '' : ' at that moment'
      throw new CommandError(
        'FIRN_KEY_NOT_FOUND',
        `no such key in table ${JSON.stringify(info.name)} of ${location.shown}${when}; \`firn scan\` lists the keys`,
      )
    }
    if (options.raw === true) return output.write(value)
    if (output.json) return output.jsonLines(`${rowJson(keyText, keyBytes, value)}\n`)
    // A program in a pipe gets UTF-8 unchanged; a terminal would act on control characters.
    const asIs = format === 'text' && !output.isTerminal ? utf8OrUndefined(value) : undefined
    await output.write(`${asIs ?? keyText.document(value)}\n`)
  })
}
