import type { Command } from 'commander'
import { type CommandContext, locationOf } from '../command-context.js'
import { withDatabase } from '../database-access.js'
import { addExamples } from '../examples.js'
import { countOf, formatBytes, formatDuration } from '../text/quantities.js'

/** `firn compact` */
export function defineCompact(program: Command, context: CommandContext): void {
  const command = program
    .command('compact')
    .summary('merge files until nothing is left to do')
    .description(
      'Writes what only the log holds into files and merges files, until nothing is left to do. A\n' +
        'database keeps itself in shape while it is written to; this is for afterwards.',
    )
  command.action(() => compact(command, context))
  addExamples(command, [
    ['firn compact', 'the database ./firn_data'],
    ['firn compact --json', 'for programs: {"compactions":…,"bytesRead":…,"bytesWritten":…}'],
  ])
}

async function compact(command: Command, context: CommandContext): Promise<void> {
  const { output, clock } = context
  const started = clock.monotonic()
  const report = await withDatabase(locationOf(command, context), 'write', context, (database) =>
    database.compact(),
  )
  if (output.json) return output.document(report)
  const { compactions, bytesRead, bytesWritten } = report
  const took = formatDuration(clock.monotonic() - started)
  await output.line(
    compactions === 0
      ? `nothing to merge (${took})`
      : `${countOf(compactions, 'compaction')}: ${formatBytes(bytesRead)} read, ${formatBytes(bytesWritten)} written (${took})`,
  )
}
