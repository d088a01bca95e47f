import { type Env, waitFor } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import { CommitConflictError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { CommitGuard } from '../append/commit-guard.js'
import { commitFiles } from '../commit/commit-files.js'
import type { Committer } from '../commit/committer.js'
import type { FileWriter } from '../files/file-writer.js'
import { ArenaPool } from '../memtable/arena-pool.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { EncodedRecords } from './encoded-records.js'

export interface IngestionOptions {
  env: Env
  committer: Committer
  files: FileWriter
  /** Approximate size of the largest runs. */
  ingestChunkBytes: number
}

const NOTHING: Promise<void> = Promise.resolve()

/**
 * Writes the records of one commit of any size into files:
 *
 * 1. Records come in runs, which are processed one after the other: the run's missing tables are
 *    created, its records are sorted, keeping the last one of each key, and written to files.
 * 2. When all runs are written, overlapping runs are merged: a database holds no two records of the
 *    same key and timestamp, and all records of the commit will have one timestamp. Runs that don't
 *    overlap, as in a load in key order, stay as they are.
 * 3. One log entry adds the files. Before it, nothing is visible; any failure until then, `stop`
 *    included, deletes everything that was written.
 */
export class Ingestion {
  readonly #options: IngestionOptions
  readonly #abort: AbortController = new AbortController()
  /** Memory in which the runs are sorted, one after the other. */
  readonly #arenas: ArenaPool
  readonly #tableIds: Map<string, number> = new Map()
  /** Oldest first. */
  readonly #runs: FileMeta[][] = []
  #merging: Promise<FileMeta[]> | undefined
  /**
   * Settles when all runs are written or one has failed; later runs then fail with the same error.
   */
  #newest: Promise<void> = NOTHING
  /** Like `#newest`, without the run that was added last. */
  #beforeNewest: Promise<void> = NOTHING
  /** Number of runs that are not written yet. */
  #waiting = 0
  #failure: { error: unknown } | undefined
  #committing = false
  #holdsWrites = false
  #stopping: Promise<void> | undefined
  /** Resolves when the ingestion is committed or given up, and no work is under way any more. */
  readonly ended: Promise<void>
  #end: () => void = () => {}

  constructor(options: IngestionOptions) {
    this.#options = options
    this.#arenas = new ArenaPool(options.ingestChunkBytes, false)
    this.ended = new Promise((resolve) => {
      this.#end = () => {
        // The caller may keep the batch, and with it this object.
        this.#arenas.clear()
        resolve()
      }
    })
  }

  /** The ids of the written tables, by name. */
  get tableIds(): ReadonlyMap<string, number> {
    return this.#tableIds
  }

  /** Takes over the records of a run, which must be newer than those of earlier runs. */
  add(records: EncodedRecords): void {
    if (this.#failure !== undefined) return
    this.#append([records], true)
  }

  /**
   * Resolves when at most one run waits to be written or is being written. With `yields`, gives I/O
   * a turn even if there is nothing to wait for. Rejects if a run couldn't be written.
   */
  drain(yields: boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#waiting > 1) return this.#beforeNewest
    return yields && this.#waiting > 0 ? this.#options.env.yield() : NOTHING
  }

  /**
   * Commits everything. `last` are the records after all runs, oldest first. Throws the error that
   * kept a run from being written, the signal's reason, or `CommitConflictError` if a table was
   * dropped meanwhile or the guard finds a contradiction.
   */
  async commit(
    last: readonly EncodedRecords[],
    signal: AbortSignal | undefined,
    guard?: CommitGuard,
  ): Promise<Commit> {
    const onAbort = (): void => void this.stop(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#holdsWrites = guard?.holdsWrites === true
    try {
      // A batch that fits one run goes into as few files as possible, however many tables it has.
      if (last.some(({ payloads }) => payloads.length > 0) && this.#failure === undefined) {
        this.#append(last, this.#newest !== NOTHING)
      }
      await this.#newest
      const files = await this.#disjointFiles()
      await this.#ready()
      this.#abort.signal.throwIfAborted()
      this.#committing = true
      return await this.#commitFiles(files, guard)
    } catch (error) {
      if (!this.#committing) await this.stop(error)
      throw this.#failure?.error ?? error
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Gives up, unless the commit is already on its way to the log: ends running work and deletes
   * what was written. Resolves when that is done.
   */
  async stop(reason: unknown): Promise<void> {
    if (this.#committing) return
    this.#failure ??= { error: reason }
    this.#stopping ??= this.#discardAll(reason)
    await this.#stopping
  }

  #append(records: readonly EncodedRecords[], splitTables: boolean): void {
    this.#waiting++
    this.#beforeNewest = this.#newest
    this.#newest = this.#newest
      .then(() => this.#write(records, splitTables))
      .finally(() => {
        this.#waiting--
      })
    // `drain` and `commit` report the error; here it ends the rest of the work.
    this.#newest.catch((error: unknown) => this.stop(error))
  }

  async #write(records: readonly EncodedRecords[], splitTables: boolean): Promise<void> {
    const options = { splitTables, arenas: this.#arenas, signal: this.#abort.signal }
    await this.#findTables([...new Set(records.flatMap(({ tables }) => tables))])
    this.#runs.push(await this.#options.files.writeRecords(records, this.#tableIds, options))
  }

  async #findTables(tables: readonly TableIdentity[]): Promise<void> {
    await this.#ready()
    const { committer } = this.#options
    const ids = await waitFor(committer.ensureTables(tables), this.#abort.signal)
    for (const [i, { name }] of tables.entries()) {
      const id = ids[i] as number
      const before = this.#tableIds.get(name)
      if (before !== undefined && before !== id) {
        throw new CommitConflictError(
          `table ${name} was dropped while a batch wrote to it; write the batch again`,
        )
      }
      this.#tableIds.set(name, id)
    }
  }

  /** Resolves when a write may be made. */
  async #ready(): Promise<void> {
    const { signal } = this.#abort
    signal.throwIfAborted()
    await this.#options.committer.ready(signal, this.#holdsWrites)
    signal.throwIfAborted()
  }

  async #disjointFiles(): Promise<FileMeta[]> {
    const [only, second] = this.#runs
    if (only !== undefined && second === undefined) return only
    this.#merging = this.#options.files.mergeRuns(this.#runs, this.#abort.signal)
    return this.#merging
  }

  async #commitFiles(files: FileMeta[], guard: CommitGuard | undefined): Promise<Commit> {
    const { env, committer, files: writer } = this.#options
    const committed = new Set(files)
    const replaced = this.#runs.flat().filter((file) => !committed.has(file))
    const edit = { type: 'add-files', files } as const
    try {
      return await commitFiles(
        { edit, files, tableIds: [...this.#tableIds.values()], guard, isPersistent: true },
        { env, committer, writer },
      )
    } finally {
      await writer.discard(replaced)
      this.#end()
    }
  }

  async #discardAll(reason: unknown): Promise<void> {
    this.#abort.abort(reason)
    await this.#newest.catch(() => {})
    const merged = (await this.#merging?.catch(() => [])) ?? []
    await this.#options.files.discard([...new Set([...this.#runs.flat(), ...merged])])
    this.#end()
  }
}
