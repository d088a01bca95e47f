import { Command } from 'commander'
import type { CommandContext } from './command-context.js'
import { defineCompact } from './commands/compact.js'
import { defineDelete } from './commands/delete.js'
import { defineDump } from './commands/dump.js'
import { defineGet } from './commands/get.js'
import { defineLoad } from './commands/load.js'
import { defineLog } from './commands/log.js'
import { definePut } from './commands/put.js'
import { defineScan } from './commands/scan.js'
import { defineSst } from './commands/sst.js'
import { defineStats } from './commands/stats.js'
import { defineTables } from './commands/tables.js'
import { defineVerify } from './commands/verify.js'
import { addExamples } from './examples.js'
import { packageVersion } from './package-version.js'

/** Receives results that a command doesn't print itself. */
export interface ProgramHooks {
  /** Sets the exit status of a command that did its work and found problems, as `verify` does. */
  setStatus(status: number): void
  /** Receives help or the version, whether the user asked for it or it replaces an error. */
  onHelp(text: string): void
}

/** Builds the command line, with the commands in the order in which a newcomer needs them. */
export function buildProgram(context: CommandContext, hooks: ProgramHooks): Command {
  const program = new Command('firn')
    .description('Read, write, load, inspect and verify Firn databases.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain firn, or a command')
    .helpCommand('help [command]', 'explain a command')
    .option(
      '--db <location>',
      'the database, like file:./data or s3://bucket/prefix?log=dynamodb:TABLE',
    )
    .option('--path <directory>', 'the database in a directory (default: ./firn_data)')
    .option('-t, --table <name>', 'the table (default: default)')
    .option('--json', 'results as JSON, for programs')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: hooks.onHelp,
      writeErr: hooks.onHelp,
      outputError: () => {},
      getOutHelpWidth: () => Math.min(context.output.columns, 100),
      getErrHelpWidth: () => Math.min(context.output.columns, 100),
    })
    .exitOverride()
  addExamples(
    program,
    [
      ['firn put greeting hello', 'write a key; this makes the database ./firn_data'],
      ['firn get greeting', 'read it back'],
      ['firn load cities.csv --key name --table cities', 'load a file into a table'],
      ['firn scan --table cities --prefix San --limit 5', 'read a range'],
      ['firn get greeting --at 10m', 'read as it was ten minutes ago'],
    ],
    'Without --db or --path, the environment variable FIRN_DB names the database.\n' +
      'FIRN_DEBUG=1 adds stack traces to errors; NO_COLOR=1 turns colours off.\n' +
      'Exit status: 0 done, 1 failed, 2 wrong usage, 130 a load that Ctrl-C ended.',
  )
  definePut(program, context)
  defineGet(program, context)
  defineDelete(program, context)
  defineScan(program, context)
  defineLoad(program, context, hooks)
  defineDump(program, context)
  defineTables(program, context)
  defineLog(program, context)
  defineStats(program, context)
  defineVerify(program, context, hooks)
  defineCompact(program, context, hooks)
  defineSst(program, context, hooks)
  return program
}
