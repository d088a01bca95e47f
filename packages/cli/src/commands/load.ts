import { type Command, Option } from 'commander'
import { ByteProgress } from '../byte-progress.js'
import {
  type CommandContext,
  type GlobalOptions,
  givenTable,
  locationOf,
} from '../command-context.js'
import { withDatabase } from '../database-access.js'
import { CommandError } from '../errors.js'
import { addExamples } from '../examples.js'
import { openInputFile, stdinFile } from '../load/input-file.js'
import {
  type LoadOptions,
  planFormat,
  planRows,
  planSource,
  planTables,
} from '../load/load-plan.js'
import { type LoadResult, loadAtomically, loadRows } from '../load/loader.js'
import { FORMATS } from '../load/row-source.js'
import { SkippedRows } from '../load/skipped-rows.js'
import { pathOf } from '../location.js'
import { byteFormatOptions, encodingOptions } from '../option-parsers.js'
import { INTERRUPTED_STATUS } from '../process-io.js'
import type { ProgramHooks } from '../program.js'
import { countOf, formatCount, formatDuration } from '../text/quantities.js'

type Options = GlobalOptions & LoadOptions & { atomic?: boolean }

/** `firn load <file>` */
export function defineLoad(program: Command, context: CommandContext, hooks: ProgramHooks): void {
  const command = program
    .command('load')
    .summary('load a file of JSON lines, CSV or TSV')
    .description(
      'Loads every record of a file. With --key, that field is the key and the whole record the\n' +
        'value, as JSON. Without, records are {"key":…,"value":…}, as `firn dump` prints them. A table\n' +
        'that isn’t there yet is made: text keys (tuples for several --key) and JSON values.\n' +
        'A record that can’t be loaded stops the load, with all before it kept; see --skip-bad.\n' +
        'With --atomic, all records are one commit: others see none of them, or all.',
    )
    .argument('<file>', 'the file, or - for stdin')
    .addOption(
      new Option('--format <format>', 'of the file (default: by its name; JSON lines)').choices(
        FORMATS,
      ),
    )
    .option(
      '--key <field>',
      'the field that is the key; a.b is a field within a field; give several for a tuple',
      (name: string, others: string[] | undefined) => [...(others ?? []), name],
    )
    .option('--no-header', 'CSV and TSV without a line of names: --key 1 is the first column')
    .option('--delimiter <character>', 'what divides the fields of CSV')
    .option('--atomic', 'load everything as one commit, or nothing')
    .option('--skip-bad', 'leave out records that can’t be loaded, and tell their lines')
  for (const option of [...byteFormatOptions(), ...encodingOptions()]) command.addOption(option)
  command.action((file: string, options: Options) => load(file, options, command, context, hooks))
  addExamples(
    command,
    [
      ['firn load cities.jsonl --key name --table cities', 'JSON lines, by their field name'],
      ['firn load users.csv --key id --skip-bad', 'CSV, without the rows that are damaged'],
      ['firn load trips.jsonl --key city --key address.zip', 'tuples of two fields as keys'],
      ['firn load today.jsonl --key id --atomic', 'all of it or nothing, whatever its size'],
      ['firn load prices.csv --delimiter ";" --key item', 'CSV as some spreadsheets write it'],
      ['firn dump --path ./old | firn load -', 'what another database holds'],
    ],
    'Ctrl-C stops a load and keeps what is loaded; with --atomic, nothing. TSV has no quotes; CSV has.',
  )
}

async function load(
  file: string,
  options: Options,
  command: Command,
  context: CommandContext,
  hooks: ProgramHooks,
): Promise<void> {
  const format = planFormat(file, options)
  const location = locationOf(command, context)
  const { io, clock, output } = context
  // Opened before the database, which a file that isn't there must not bring into being.
  const input =
    file === '-'
      ? stdinFile(io.stdin)
      : await openInputFile(pathOf(file, 'the path of the input', io), file)
  const interruption = new AbortController()
  const stopListening = io.onInterrupt?.(() => interruption.abort())
  try {
    const started = clock.monotonic()
    const skipped = new SkippedRows(input.name)
    const { result, tables } = await withDatabase(location, 'create', context, async (database) => {
      const targets = await planTables(database, format, options)
      const writer = planRows(targets, options, givenTable(command))
      const progress = new ByteProgress(output.progressSink, 'read', input.bytes, clock)
      const loads = options.atomic === true ? loadAtomically : loadRows
      try {
        const result = await loads(database, planSource(input, format, options), writer, {
          skipBad: options.skipBad === true,
          signal: interruption.signal,
          onProgress: (records) => progress.update(input.bytesRead, records),
          onSkip: (line, problem) => skipped.add(line, problem),
        })
        return { result, tables: targets.names }
      } finally {
        progress.stop()
      }
    })
    for (const warning of skipped.warnings()) await output.warn(warning)
    // Ctrl-C that comes while the one commit of --atomic is made comes too late.
    const atomic = options.atomic === true
    const interrupted = interruption.signal.aborted && !(atomic && result.records > 0)
    const ms = clock.monotonic() - started
    if (result.stopped === undefined) {
      await report(result, { tables, ms, interrupted, bytes: input.bytesRead }, context)
    }
    if (interrupted) {
      hooks.setStatus(INTERRUPTED_STATUS)
      await output.warn(
        atomic
          ? 'interrupted; nothing is loaded'
          : `interrupted; what is loaded so far is kept (${countOf(result.records, 'record')})`,
      )
    } else if (result.stopped !== undefined) {
      throw stoppedAt(input.name, result, atomic)
    }
  } finally {
    stopListening?.()
    await input.close()
  }
}

async function report(
  result: LoadResult,
  facts: { tables: string[]; ms: number; interrupted: boolean; bytes: number },
  { output }: CommandContext,
): Promise<void> {
  const { records, skipped } = result
  const { tables, ms, interrupted, bytes } = facts
  const perSecond = Math.round(records / Math.max(0.001, ms / 1000))
  if (output.json) {
    await output.document({
      records,
      skipped,
      tables,
      bytes,
      ms: Math.round(ms),
      perSecond,
      interrupted,
    })
    return
  }
  const where = tables.length > 3 ? countOf(tables.length, 'table') : tables.join(', ')
  const into = where === '' ? '' : ` into ${where}`
  const but = skipped === 0 ? '' : `, ${formatCount(skipped)} skipped`
  await output.line(
    `${countOf(records, 'record')} loaded${into}${but} in ${formatDuration(ms)} `,
    output.paint('dim', `(${formatCount(perSecond)}/s)`),
  )
}

function stoppedAt(name: string, { stopped, records }: LoadResult, atomic: boolean): CommandError {
  const { line = 0, problem = '' } = stopped ?? {}
  const kept = atomic
    ? 'nothing is loaded'
    : `stopped there, with ${countOf(records, 'record')} before it loaded`
  return new CommandError(
    'FIRN_BAD_INPUT',
    `${name}:${line}: ${problem}; ${kept}; mend the line, or leave out such lines with --skip-bad`,
  )
}
