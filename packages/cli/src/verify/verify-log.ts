import { equalRanges } from '@firn/bytes'
import type { CommitLog, LogEntry } from '@firn/commit-log'
import { isFirnError } from '@firn/env'
import {
  applyEntry,
  checkpointPrefix,
  type DatabaseState,
  decodeCheckpoint,
  decodeEdits,
  type Edit,
  emptyState,
  encodeCheckpoint,
  readRecords,
} from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { addProblem, type VerificationReport } from './verification.js'

/** A checkpoint that could be read. */
interface ReadCheckpoint {
  key: string
  bytes: Uint8Array
  state: DatabaseState
}

/** Checkpoints by version: two processes may write one for the same version. */
export type Checkpoints = ReadonlyMap<number, readonly ReadCheckpoint[]>

/** Returns the state of the newest checkpoint. */
export function newestOf(checkpoints: Checkpoints): DatabaseState | undefined {
  return checkpoints.get(Math.max(0, ...checkpoints.keys()))?.[0]?.state
}

/** Reads every checkpoint. */
export async function verifyCheckpoints(
  store: ObjectStore,
  incarnation: string,
  report: VerificationReport,
): Promise<Checkpoints> {
  const checkpoints = new Map<number, ReadCheckpoint[]>()
  for await (const { key } of store.list({ prefix: checkpointPrefix(incarnation) })) {
    try {
      const { bytes } = await store.get(key)
      const state = decodeCheckpoint(bytes, key)
      const others = checkpoints.get(state.version) ?? []
      checkpoints.set(state.version, [...others, { key, bytes, state }])
      report.checkpoints++
      if (state.incarnation !== incarnation) {
        addProblem(report, key, 'it is a checkpoint of another database')
      }
    } catch (error) {
      // A writer prunes old checkpoints while we read.
      if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) addProblem(report, key, error)
    }
  }
  return checkpoints
}

/** The result of reading the log. */
export interface LogVerification {
  /** The newest state that can be known; absent if none can. */
  state?: DatabaseState
  /** The ids of all files that entries named. */
  named: ReadonlySet<string>
  /**
   * Whether the log was truncated past all checkpoints that were read. This is damage, unless a
   * writer has made a newer checkpoint meanwhile.
   */
  overtaken: boolean
}

/**
 * Reads the log from its first entry and folds it into states, which must equal those in the
 * checkpoints.
 */
export async function verifyLog(
  log: CommitLog,
  checkpoints: Checkpoints,
  report: VerificationReport,
): Promise<LogVerification> {
  const fold = new LogFold(checkpoints, report)
  try {
    for await (const entry of log.readAfter(0)) fold.add(entry)
  } catch (error) {
    addProblem(report, 'commit log', error)
  }
  return fold.end()
}

class LogFold {
  readonly #checkpoints: Checkpoints
  readonly #report: VerificationReport
  /** `undefined` after truncated or damaged entries, until a checkpoint holds the state. */
  #state: DatabaseState | undefined = emptyState()
  #broken = false
  readonly #named = new Set<string>()

  constructor(checkpoints: Checkpoints, report: VerificationReport) {
    this.#checkpoints = checkpoints
    this.#report = report
  }

  add(entry: LogEntry): void {
    this.#report.entries++
    this.#report.version = entry.version
    try {
      this.#state = this.#after(entry)
    } catch (error) {
      addProblem(this.#report, `commit log entry ${entry.version}`, error)
      this.#state = undefined
      this.#broken = true
    }
    for (const checkpoint of this.#checkpoints.get(entry.version) ?? []) {
      this.#state ??= checkpoint.state
      if (!holds(checkpoint, this.#state)) {
        addProblem(this.#report, checkpoint.key, 'it differs from the state that the log leads to')
      }
    }
  }

  /**
   * Returns the state after the last entry, or the newest checkpoint's if the log leads to none.
   */
  end(): LogVerification {
    const { version } = this.#report
    const newest = newestOf(this.#checkpoints)
    const newestVersion = newest?.version ?? 0
    if (newestVersion > version) {
      const problem = `it ends at version ${version}, before the checkpoint of version ${newestVersion}: entries are missing from its end, as after a table was restored from an old backup`
      addProblem(this.#report, 'commit log', problem)
    }
    const named = this.#named
    if (this.#state !== undefined && this.#state.version > 0) {
      return { state: this.#state, named, overtaken: false }
    }
    const overtaken = !this.#broken && newestVersion < version
    if (overtaken) {
      const problem = 'it was truncated, and no checkpoint holds the state that it continues from'
      addProblem(this.#report, 'commit log', problem)
    }
    return newest === undefined ? { named, overtaken } : { state: newest, named, overtaken }
  }

  #after(entry: LogEntry): DatabaseState | undefined {
    if (entry.payload === undefined) return undefined
    const edits = decodeEdits(entry.payload, `commit log entry ${entry.version}`)
    for (const edit of edits) {
      if (edit.type === 'records') readRecords(edit.bytes, () => {})
      else for (const id of filesNamedBy(edit)) this.#named.add(id)
    }
    return this.#state === undefined ? undefined : applyEntry(this.#state, entry, edits)
  }
}

/** Returns the ids of the files that an edit adds or removes. */
function filesNamedBy(edit: Edit): string[] {
  if (edit.type === 'add-files' || edit.type === 'flush') return edit.files.map(({ id }) => id)
  if (edit.type === 'compact') return [...edit.removed, ...edit.added.map(({ file }) => file.id)]
  return []
}

function holds(checkpoint: ReadCheckpoint, state: DatabaseState): boolean {
  const bytes = encodeCheckpoint(state)
  return equalRanges(bytes, 0, bytes.length, checkpoint.bytes, 0, checkpoint.bytes.length)
}
