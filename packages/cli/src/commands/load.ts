import { type Command, Option } from 'commander'
import { ByteProgress } from '../byte-progress.js'
import { closing } from '../closing.js'
import {
  type CommandContext,
  type GlobalOptions,
  givenTable,
  locationOf,
} from '../command-context.js'
import { withDatabase } from '../database-access.js'
import { CommandError } from '../errors.js'
import { addExamples } from '../examples.js'
import { describeFailure } from '../failure.js'
import { openInputFile, stdinFile } from '../load/input-file.js'
import { InterruptibleRows } from '../load/interruptible-rows.js'
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
import { byteFormatOptions, encodingOptions, parseCount } from '../option-parsers.js'
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
      'Loads every record of a file. With --key, that field is the key and the whole record is the\n' +
        'value, as JSON. Without it, records are {"key":…,"value":…}, as `firn dump` prints them. A table\n' +
        'that doesn’t exist is created with text keys (tuples for several --key) and JSON values.\n' +
        'A record that can’t be loaded stops the load; all records before it are kept. See --skip-bad.\n' +
        'With --atomic, all records are one commit: others see all of them or none.',
    )
    .argument('<file>', 'the file, or - for stdin')
    .addOption(
      new Option(
        '--format <format>',
        'the format (default: by the file’s name, else JSON lines)',
      ).choices(FORMATS),
    )
    .option(
      '--key <field>',
      'the field that is the key; a.b is a field within a field; repeat it to make tuples',
      (name: string, others: string[] | undefined) => [...(others ?? []), name],
    )
    .option('--no-header', 'CSV or TSV without a header line: --key 1 is the first column')
    .option('--delimiter <character>', 'the character between the fields of CSV')
    .option('--atomic', 'load everything as one commit, or nothing')
    .option('--skip-bad', 'skip records that can’t be loaded, and list their lines')
    .option('--max-record <MiB>', 'the largest record to accept (default: 64)', parseCount)
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
      ['firn dump --path ./old | firn load -', 'everything from another database'],
    ],
    'Ctrl-C stops a load and keeps what is loaded; with --atomic, nothing. CSV has quotes, TSV none.',
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
  // Opened before the database, so that a missing file doesn't create a database.
  const input =
    file === '-'
      ? stdinFile(io.stdin)
      : await openInputFile(pathOf(file, 'the path of the input', io), file)
  const interruption = new AbortController()
  const stopListening = io.onInterrupt?.(() => interruption.abort())
  const rows = new InterruptibleRows(planSource(input, format, options), interruption.signal)
  const started = clock.monotonic()
  const skipped = new SkippedRows(input.name)
  const atomic = options.atomic === true
  const skipBad = options.skipBad === true
  const loadFile = async (): Promise<Loaded> => {
    // A file that isn't text, or whose first record ends the load, must not create one either.
    const unloaded = (result: LoadResult): Loaded => ({ result, tables: [] })
    const [first] = (await rows.peek()) ?? []
    if (rows.interrupted) return unloaded({ records: 0, skipped: 0 })
    if (first?.problem !== undefined && (first.final === true || !skipBad)) {
      const { line, problem, final = false } = first
      return unloaded({ records: 0, skipped: 0, stopped: { line, problem, final } })
    }
    return withDatabase(location, 'create', context, async (database) => {
      const targets = await planTables(database, format, options)
      const writer = planRows(targets, options, givenTable(command))
      const progress = new ByteProgress(output.progressSink, 'read', input.bytes, clock)
      const loads = atomic ? loadAtomically : loadRows
      try {
        const result = await loads(database, rows, writer, {
          skipBad,
          onProgress: (records) => progress.update(input.bytesRead, records),
          onSkip: (line, problem) => skipped.add(line, problem),
        })
        return { result, tables: targets.names }
      } catch (error) {
        throw writeFailure(error, atomic)
      } finally {
        progress.stop()
      }
    })
  }
  const close = async (): Promise<void> => {
    stopListening?.()
    rows.end()
    await input.close()
  }
  const { result, tables } = await closing(close, loadFile)
  const { records } = result
  for (const warning of skipped.warnings()) await output.warn(warning)
  const failure = failureOf(input.name, result, atomic)
  // Ctrl-C during the one commit of --atomic comes too late.
  const interrupted = interruption.signal.aborted && !(atomic && records > 0)
  if (interrupted) {
    // Set before anything is printed, because the reader may have gone.
    hooks.setStatus(INTERRUPTED_STATUS)
    await output.warn(
      atomic
        ? 'interrupted; nothing is loaded'
        : `interrupted; what is loaded so far is kept (${countOf(records, 'record')})`,
    )
  } else if (failure !== undefined) {
    throw failure
  }
  const ms = clock.monotonic() - started
  if (failure === undefined) {
    await report(result, { tables, ms, interrupted, bytes: input.bytesRead }, context)
  }
}

interface Loaded {
  result: LoadResult
  /** Names of the tables that rows went to. */
  tables: string[]
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

/** Returns why the load ended early or loaded nothing; `undefined` if it succeeded. */
function failureOf(name: string, result: LoadResult, atomic: boolean): CommandError | undefined {
  const { records, skipped, stopped, failure } = result
  const kept =
    atomic || records === 0
      ? 'nothing is loaded'
      : `stopped there, with ${countOf(records, 'record')} before it loaded`
  if (failure !== undefined) {
    const { status, code, message } = describeFailure(failure.error)
    return new CommandError(code, `${message}; ${kept}`, {
      // Wrong usage means that nothing changed, and here something was loaded.
      status: records > 0 ? 1 : status,
      cause: failure.error,
    })
  }
  if (stopped !== undefined) {
    const { line, problem, final } = stopped
    const advice = final ? '' : '; fix the line, or skip such lines with --skip-bad'
    return new CommandError('FIRN_BAD_INPUT', `${name}:${line}: ${problem}; ${kept}${advice}`)
  }
  if (records > 0 || skipped === 0) return undefined
  return new CommandError(
    'FIRN_BAD_INPUT',
    `${name}: none of its ${countOf(skipped, 'record')} can be loaded; check --format and --key`,
  )
}

/** Errors of a commit after which it isn't known whether the commit happened. */
const UNCERTAIN = ['FIRN_COMMIT_UNKNOWN', 'FIRN_WRITE_STOPPED', 'FIRN_LOG_FAILED']

/** Describes why rows couldn't be written, and what became of the rows before them. */
function writeFailure(error: unknown, atomic: boolean): CommandError {
  const { status, code, message } = describeFailure(error)
  const loaded = !atomic
    ? 'some of the records may be loaded; loading the file again replaces them'
    : UNCERTAIN.includes(code)
      ? 'it is not known whether the file is loaded; `firn log` lists the commits'
      : 'nothing is loaded'
  return new CommandError(code, `${message}; ${loaded}`, { status, cause: error })
}
