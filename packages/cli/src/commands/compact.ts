import type { CompactionReport } from '@firn/engine'
import type { Command } from 'commander'
import { type CommandContext, locationOf } from '../command-context.js'
import { withDatabase } from '../database-access.js'
import { addExamples } from '../examples.js'
import type { Output } from '../output.js'
import type { ProgramHooks } from '../program.js'
import { countOf, formatBytes, formatDuration } from '../text/quantities.js'

/** `firn compact` */
export function defineCompact(
  program: Command,
  context: CommandContext,
  hooks: ProgramHooks,
): void {
  const command = program
    .command('compact')
    .summary('merge files until nothing is left to merge')
    .description(
      'Writes what only the log holds into files, and merges files until nothing is left to merge. A\n' +
        'database does this by itself while it is written to; this command does it afterwards. A damaged\n' +
        'file is left alone and listed; the exit status is then 1.',
    )
  command.action(() => compact(command, context, hooks))
  addExamples(command, [
    ['firn compact', 'the database ./firn_data'],
    ['firn compact --json', 'for programs: {"compactions":…,"filesIn":…,…,"skipped":[]}'],
  ])
}

async function compact(
  command: Command,
  context: CommandContext,
  hooks: ProgramHooks,
): Promise<void> {
  const { output, clock } = context
  const started = clock.monotonic()
  const location = locationOf(command, context)
  const report = await withDatabase(location, 'write', context, async (database) => {
    const { skipped } = await database.compact()
    // Includes compactions since the database was opened, before this one was requested.
    const { count, filesIn, filesOut, bytesRead, bytesWritten } = (await database.stats())
      .compactions
    return { compactions: count, filesIn, filesOut, bytesRead, bytesWritten, skipped }
  })
  if (report.skipped.length > 0) hooks.setStatus(1)
  if (output.json) return output.document(report)
  await showSkipped(report, output)
  const { compactions, filesIn, filesOut, bytesRead, bytesWritten } = report
  const took = formatDuration(clock.monotonic() - started)
  await output.line(
    compactions === 0
      ? `nothing to merge (${took})`
      : `${countOf(compactions, 'compaction')} of ${countOf(filesIn, 'file')} to ${filesOut}: ${formatBytes(bytesRead)} read, ${formatBytes(bytesWritten)} written (${took})`,
  )
}

async function showSkipped({ skipped }: CompactionReport, output: Output): Promise<void> {
  for (const { file, level, tables, reason } of skipped) {
    const of = tables.length === 0 ? '' : ` of ${tables.join(', ')}`
    const why = reason.replace(/\s*\n\s*/g, ' ')
    await output.line(
      output.paint('red', 'damaged'),
      `  file ${file}${of} in level ${level} was left alone: ${why}`,
    )
  }
  if (skipped.length === 0) return
  await output.line(
    'the undamaged parts of these files stay readable. `firn verify` lists all damage; restore these files from a backup, and compact again',
  )
}
