import type { CommitLog, LogEntry } from '@firn/commit-log'
import { CorruptionError, type TimeSlice } from '@firn/env'
import { type DatabaseState, emptyState, readNewestCheckpoint } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import type { FileCache } from '../files/file-cache.js'
import type { ArenaPool } from '../memtable/arena-pool.js'
import { VersionSet } from './version-set.js'

/** How often a start is tried if the log is truncated while it is read. */
const MAX_STARTS = 5

export interface LogFollowerOptions {
  /** Decides when to give others a turn. */
  slice: TimeSlice
  store: ObjectStore
  log: CommitLog
  incarnation: string
  versions: VersionSet
  files: FileCache
  arenas: ArenaPool
  /** Size at which a memtable is sealed. */
  memtableBytes: number
  /** Called after other processes' entries are applied. */
  onApplied: () => void
}

/**
 * Reads the log into the version set:
 *
 * 1. Start from the newest checkpoint, or from nothing.
 * 2. Read the log after what the checkpoint says is in files. For entries that the checkpoint has
 *    folded in, take only their inline records; apply the others.
 * 3. From then on, `catchUp` applies newer entries. A tombstone there means that others have
 *    truncated what this process hasn't read: it starts over from the checkpoint that allowed it.
 */
export class LogFollower {
  readonly #options: LogFollowerOptions
  #catchingUp: Promise<void> | undefined
  #again: Promise<void> | undefined
  readonly #stopped: AbortController = new AbortController()

  constructor(options: LogFollowerOptions) {
    this.#options = options
  }

  async start(signal?: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { store, incarnation, files, versions, arenas } = this.#options
      const checkpoint = await readNewestCheckpoint(store, incarnation, { signal })
      // Separate from what readers see until it is complete.
      const fresh = new VersionSet(checkpoint ?? emptyState(), files, arenas)
      try {
        const tombstone = await this.#replay(fresh, signal)
        if (tombstone === undefined) {
          this.#assertIncarnation(fresh.state)
          versions.adopt(fresh)
          return
        }
        if (attempt < MAX_STARTS) continue
        throw new CorruptionError(
          `log entry ${tombstone} was truncated, but no checkpoint covers it: checkpoints are missing or damaged; restore the database from a backup`,
        )
      } finally {
        fresh.close()
      }
    }
  }

  /** Applies everything committed before the call. Overlapping calls share their reads. */
  catchUp(): Promise<void> {
    if (this.#catchingUp === undefined) {
      this.#catchingUp = this.#catchUp().finally(() => {
        this.#catchingUp = undefined
      })
      return this.#catchingUp
    }
    // The running read may have begun before the commits that this caller must see.
    this.#again ??= this.#catchingUp
      .catch(() => {})
      .then(() => {
        this.#again = undefined
        return this.catchUp()
      })
    return this.#again
  }

  /**
   * Applies an entry that was read elsewhere, if it is the next one, so that it needn't be read
   * again.
   */
  applyNext(entry: LogEntry): void {
    const { versions } = this.#options
    // A truncated entry says nothing: `catchUp` handles it.
    if (entry.version !== versions.state.version + 1 || entry.payload === undefined) return
    this.#apply(versions, entry)
  }

  /** Ends running and later calls with this error. */
  stop(reason: unknown): void {
    this.#stopped.abort(reason)
  }

  async #catchUp(): Promise<void> {
    const { log, versions, onApplied } = this.#options
    const { signal } = this.#stopped
    signal.throwIfAborted()
    for await (const entry of log.readAfter(versions.state.version, { signal, urgent: true })) {
      // Our own appends may have gone on meanwhile.
      if (entry.version <= versions.state.version) continue
      if (entry.payload === undefined) {
        await this.start(signal)
        break
      }
      this.#apply(versions, entry)
      const turn = this.#options.slice.look()
      if (turn !== undefined) await turn
      signal.throwIfAborted()
    }
    onApplied()
  }

  /**
   * The log in a directory doesn't carry the database's incarnation in its name, but its state
   * does.
   */
  #assertIncarnation(state: DatabaseState): void {
    if (state.version > 0 && state.incarnation !== this.#options.incarnation) {
      throw new CorruptionError(
        'the log belongs to another database than the descriptor FIRN beside it: one of them was replaced; put back the one that is missing, or move the log away to start anew',
      )
    }
  }

  /**
   * Replays the log over a checkpoint's state. Returns the version of a tombstone that it can't get
   * past, if any.
   */
  async #replay(
    versions: VersionSet,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const from = versions.state
    let last = from.flushedThrough
    for await (const entry of this.#options.log.readAfter(from.flushedThrough, { signal })) {
      last = entry.version
      if (entry.payload === undefined) return entry.version
      if (entry.version > from.version) this.#apply(versions, entry)
      else versions.insertPayload(entry.payload, entry.timestamp)
      const turn = this.#options.slice.look()
      if (turn !== undefined) await turn
    }
    if (last < from.version) {
      throw new CorruptionError(
        `the log ends with entry ${last}, but a checkpoint knows entry ${from.version}: it is another log than this database's (another account, region or endpoint?), or one that was set back; nothing was written`,
      )
    }
    return undefined
  }

  #apply(versions: VersionSet, entry: LogEntry): void {
    versions.apply(entry, false)
    if (versions.active.memoryBytes >= this.#options.memtableBytes) versions.sealMemtable()
  }
}
