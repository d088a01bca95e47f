import type { Command } from 'commander'
import type { CommandContext } from '../command-context.js'
import type { ProgramHooks } from '../program.js'
import { defineSstDump } from './sst-dump.js'
import { defineSstStats } from './sst-stats.js'
import { defineSstVerify } from './sst-verify.js'

/** `firn sst …` */
export function defineSst(program: Command, context: CommandContext, hooks: ProgramHooks): void {
  const command = program
    .command('sst')
    .summary('look into one SST file')
    .description('Looks into one SST file of a database, by its path.')
  defineSstDump(command, context)
  defineSstStats(command, context)
  defineSstVerify(command, context, hooks)
}
