import type { Command } from 'commander'
import { type CommandContext, type GlobalOptions, locationOf, tableOf } from '../command-context.js'
import { tableInfo, withDatabase } from '../database-access.js'
import { UsageError } from '../errors.js'
import { addExamples } from '../examples.js'
import { MOMENT_HELP, parseMoment } from '../moment.js'
import {
  type ByteFormatOptions,
  byteFormatOf,
  byteFormatOptions,
  parseCount,
} from '../option-parsers.js'
import { RowPrinter } from '../row-printer.js'
import { type StoredRange, snapshotPages } from '../snapshot-pages.js'
import { countOf } from '../text/quantities.js'
import { TableText } from '../text/table-text.js'

type Options = GlobalOptions &
  ByteFormatOptions & {
    prefix?: string
    from?: string
    to?: string
    limit?: number
    reverse?: boolean
    at?: string
    keysOnly?: boolean
  }

/** `firn scan` */
export function defineScan(program: Command, context: CommandContext): void {
  const command = program
    .command('scan')
    .summary('print keys and values in key order')
    .description(
      'Prints the rows of a table in key order: key, tab, value; aligned and cut to the window on a\n' +
        'terminal; with --json one object a line. All rows are of one moment.',
    )
    .option('--prefix <prefix>', 'only keys that begin with this')
    .option('--from <key>', 'only this key and greater ones')
    .option('--to <key>', 'only keys less than this one')
    .option('--limit <n>', 'at most this many rows', parseCount)
    .option('--reverse', 'greatest key first; --from and --to stay the lower and the upper bound')
    .option('--at <moment>', MOMENT_HELP)
    .option('--keys-only', 'without the values')
  for (const option of byteFormatOptions()) command.addOption(option)
  command.action((options: Options) => scan(options, command, context))
  addExamples(command, [
    ['firn scan', 'everything in the table default'],
    ['firn scan --table cities --prefix San --limit 5', 'the first five that begin with San'],
    ['firn scan --from 2026-05 --to 2026-06', 'from one key up to another'],
    ['firn scan --reverse --limit 1 --json', 'the last row, for programs'],
    [`firn scan --table users --prefix '["eu"]'`, 'tuples that begin with an element'],
  ])
}

async function scan(options: Options, command: Command, context: CommandContext): Promise<void> {
  const format = byteFormatOf(options)
  const { prefix, from, to } = options
  if (prefix !== undefined && (from !== undefined || to !== undefined)) {
    throw new UsageError('--prefix can’t be combined with --from or --to; leave one out')
  }
  const at = options.at === undefined ? undefined : parseMoment(options.at, context.clock)
  const location = locationOf(command, context)
  await withDatabase(location, 'read', context, async (database) => {
    const info = await tableInfo(database, tableOf(command), location)
    const text = new TableText(info, format)
    const range: StoredRange = {
      prefix: prefix === undefined ? undefined : text.prefix(prefix),
      gte: from === undefined ? undefined : text.key(from, '--from'),
      lt: to === undefined ? undefined : text.key(to, '--to'),
      limit: options.limit,
      reverse: options.reverse === true,
    }
    const printer = new RowPrinter(context.output, text)
    let rows = 0
    for await (const page of snapshotPages(database, at, info, range)) {
      rows += page.length
      if (options.keysOnly === true) await printer.keys(page.map(([key]) => key))
      else await printer.rows(page)
    }
    if (context.output.isTerminal) await context.output.note(countOf(rows, 'row'))
  })
}
