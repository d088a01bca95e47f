import type { CommitLog } from '@firn/commit-log'
import type { LocatedParts } from '@firn/engine/parts'
import type { Env } from '@firn/env'
import { isFirnError } from '@firn/env'
import { type DatabaseState, emptyState, liveFiles } from '@firn/manifest'
import type { Command } from 'commander'
import { ByteProgress } from '../byte-progress.js'
import { closing } from '../closing.js'
import { type CommandContext, locationOf } from '../command-context.js'
import { partsOf } from '../database-parts.js'
import { addExamples } from '../examples.js'
import type { DatabaseLocation } from '../location.js'
import type { Output } from '../output.js'
import type { ProgramHooks } from '../program.js'
import { countOf, formatBytes, formatCount } from '../text/quantities.js'
import { presentOf } from '../verify/present-files.js'
import { addProblem, emptyReport, type VerificationReport } from '../verify/verification.js'
import { verifyFiles } from '../verify/verify-files.js'
import {
  type LogVerification,
  newestOf,
  verifyCheckpoints,
  verifyLog,
} from '../verify/verify-log.js'

/** `firn verify` */
export function defineVerify(program: Command, context: CommandContext, hooks: ProgramHooks): void {
  const command = program
    .command('verify')
    .summary('check that nothing is missing or damaged')
    .description(
      'Reads the whole database: every entry of the log, every checkpoint and every file. Checks that\n' +
        'they fit together and lists all problems; if there are any, the exit status is 1. A process\n' +
        'that writes meanwhile is not disturbed.',
    )
  command.action(() => verify(command, context, hooks))
  addExamples(command, [
    ['firn verify', 'the database ./firn_data'],
    ['firn verify --json', 'for programs: {"ok":true,…,"problems":[]}'],
  ])
}

async function verify(
  command: Command,
  context: CommandContext,
  hooks: ProgramHooks,
): Promise<void> {
  const location = locationOf(command, context)
  const parts = await partsOf(location, context.clock)
  const examined = async (): Promise<void> => {
    const report = await examine(parts, context.output, context.clock)
    // Set before anything is printed, because the reader may have gone.
    if (!report.ok) hooks.setStatus(1)
    await show(report, location, context.output)
  }
  await closing(() => parts.close(), examined)
}

// A writer may truncate the log to a checkpoint that it made after we read the checkpoints.
const TRIES = 5

async function examine(
  parts: LocatedParts,
  output: Output,
  clock: Env,
): Promise<VerificationReport> {
  let incarnation: string
  try {
    incarnation = await parts.findIncarnation()
  } catch (error) {
    // A missing database is the user's mistake; a damaged root is what this command reports.
    if (!isFirnError(error, 'FIRN_CORRUPTION')) throw error
    const report = emptyReport()
    addProblem(report, 'FIRN', error)
    return report
  }
  let log: CommitLog | undefined
  let damage: unknown
  try {
    log = await parts.openLog(incarnation)
  } catch (error) {
    if (!isFirnError(error, 'FIRN_CORRUPTION')) throw error
    damage = error
  }
  const look = async (): Promise<VerificationReport> => {
    for (let tries = 1; ; tries++) {
      const report = emptyReport()
      if (damage !== undefined) addProblem(report, 'commit log', damage)
      const checkpoints = await verifyCheckpoints(parts.store, incarnation, report)
      const {
        state = emptyState(),
        named,
        overtaken,
      }: LogVerification = log === undefined
        ? lastKnown(newestOf(checkpoints))
        : await verifyLog(log, checkpoints, report)
      if (overtaken && tries < TRIES) continue
      await examineFiles({ parts, incarnation, state, named, log, output, clock }, report)
      return report
    }
  }
  return closing(async () => log?.close(), look)
}

function lastKnown(state: DatabaseState | undefined): LogVerification {
  const nothing = { named: new Set<string>(), overtaken: false }
  return state === undefined ? nothing : { ...nothing, state }
}

async function examineFiles(
  context: {
    parts: LocatedParts
    incarnation: string
    state: DatabaseState
    named: ReadonlySet<string>
    log: CommitLog | undefined
    output: Output
    clock: Env
  },
  report: VerificationReport,
): Promise<void> {
  const { parts, incarnation, state, named, log, output, clock } = context
  const { store } = parts
  const whole = [...liveFiles(state)].reduce((sum, file) => sum + file.bytes, 0)
  const progress = new ByteProgress(output.progressSink, 'verified', whole, clock)
  try {
    await verifyFiles(
      {
        store,
        incarnation,
        state,
        named,
        // In a directory's own log, an entry that was read may not be durable.
        isShared: parts.log !== 'file',
        present: async () => (log === undefined ? undefined : presentOf(store, incarnation, log)),
        onProgress: (bytes) => progress.update(bytes),
      },
      report,
    )
  } finally {
    progress.stop()
  }
}

async function show(
  report: VerificationReport,
  location: DatabaseLocation,
  output: Output,
): Promise<void> {
  if (output.json) return output.document(report)
  const { entries, checkpoints, files, records, bytes, problems, version } = report
  for (const { where, problem } of problems) {
    const line = `  ${where}: ${problem.replace(/\s*\n\s*/g, ' ')}`
    await output.line(output.paint('red', 'damaged'), line)
  }
  const seen = [
    `version ${formatCount(version)}`,
    countOf(entries, 'log entry', 'log entries'),
    countOf(checkpoints, 'checkpoint'),
    `${countOf(files, 'file')} with ${countOf(records, 'record')} (${formatBytes(bytes)})`,
  ].join(', ')
  if (report.ok) {
    await output.line(output.paint('green', 'whole'), `    ${location.shown}: ${seen}`)
  } else {
    const count = output.paint('red', countOf(problems.length, 'problem'))
    await output.line(count, ` in ${location.shown}; undamaged: ${seen}`)
  }
  await showOtherFiles(report, output)
}

async function showOtherFiles(
  { replaced, unreferenced }: VerificationReport,
  output: Output,
): Promise<void> {
  if (replaced.files > 0) {
    await output.note(
      `${countOf(replaced.files, 'file')} (${formatBytes(replaced.bytes)}) replaced by compaction, which no version needs any more: garbage collection will remove them`,
    )
  }
  if (unreferenced.files > 0) {
    await output.note(
      `${countOf(unreferenced.files, 'file')} (${formatBytes(unreferenced.bytes)}) that no entry of the log names: being written, or left by a process that ended before its commit`,
    )
  }
}
