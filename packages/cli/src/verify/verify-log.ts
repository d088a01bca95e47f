import { equalRanges } from '@firn/bytes'
import { isFirnError } from '@firn/env'
import {
  applyEntry,
  type CommitLog,
  checkpointPrefix,
  type DatabaseState,
  decodeCheckpoint,
  decodeEdits,
  emptyState,
  encodeCheckpoint,
  type LogEntry,
  readRecords,
} from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { addProblem, type VerificationReport } from './verification.js'

/** A checkpoint that can be read. */
interface ReadCheckpoint {
  key: string
  bytes: Uint8Array
  state: DatabaseState
}

/** By version: two processes may write one of the same. */
export type Checkpoints = ReadonlyMap<number, readonly ReadCheckpoint[]>

/** The state of the newest checkpoint. */
export function newestOf(checkpoints: Checkpoints): DatabaseState | undefined {
  return checkpoints.get(Math.max(0, ...checkpoints.keys()))?.[0]?.state
}

/** Reads every checkpoint there is. */
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
      // A writer prunes old ones while we look.
      if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) addProblem(report, key, error)
    }
  }
  return checkpoints
}

/**
 * Reads the log from its first entry on and folds it into states, which must be those that the
 * checkpoints hold. Gives the newest state that can be known, `undefined` where none can.
 */
export async function verifyLog(
  log: CommitLog,
  checkpoints: Checkpoints,
  report: VerificationReport,
): Promise<DatabaseState | undefined> {
  const fold = new LogFold(checkpoints, report)
  try {
    for await (const entry of log.readAfter(0)) fold.add(entry)
  } catch (error) {
    addProblem(report, 'commit log', error)
  }
  return fold.newest()
}

class LogFold {
  readonly #checkpoints: Checkpoints
  readonly #report: VerificationReport
  /** `undefined` behind truncated or damaged entries, until a checkpoint says it. */
  #state: DatabaseState | undefined = emptyState()
  #broken = false

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
        addProblem(this.#report, checkpoint.key, 'it is not the state that the log leads to')
      }
    }
  }

  /** The state behind the last entry, or the newest checkpoint's where the log doesn't lead to one. */
  newest(): DatabaseState | undefined {
    if (this.#state !== undefined && this.#state.version > 0) return this.#state
    const newest = Math.max(0, ...this.#checkpoints.keys())
    if (!this.#broken && newest < this.#report.version) {
      addProblem(
        this.#report,
        'commit log',
        'it was truncated, and no checkpoint holds the state from which it goes on',
      )
    }
    if (newest > this.#report.version) {
      addProblem(
        this.#report,
        'commit log',
        `it ends at version ${this.#report.version}, before the checkpoint of version ${newest}`,
      )
    }
    return newestOf(this.#checkpoints)
  }

  #after(entry: LogEntry): DatabaseState | undefined {
    if (entry.payload === undefined) return undefined
    const edits = decodeEdits(entry.payload, `commit log entry ${entry.version}`)
    for (const edit of edits) if (edit.type === 'records') readRecords(edit.bytes, () => {})
    return this.#state === undefined ? undefined : applyEntry(this.#state, entry, edits)
  }
}

function holds(checkpoint: ReadCheckpoint, state: DatabaseState): boolean {
  const bytes = encodeCheckpoint(state)
  return equalRanges(bytes, 0, bytes.length, checkpoint.bytes, 0, checkpoint.bytes.length)
}
