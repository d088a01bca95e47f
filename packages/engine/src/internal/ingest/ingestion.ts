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
  /** About how large the largest runs are. */
  ingestChunkBytes: number
}

const NOTHING: Promise<void> = Promise.resolve()

/**
 * The records of one commit of any size, on their way into files:
 *
 * 1. Records come in runs. One after the other, a run's tables are created where they don't exist,
 *    its records are put in order, of each key the last one stays, and they are written to files.
 * 2. When all runs are written, those that overlap are merged: a database holds no two records of
 *    the same key and timestamp, and all these will have one. Runs that lie side by side, as those
 *    of a load in key order do, stay as they are.
 * 3. One entry of the log adds the files. Before it, nothing is visible; a failure up to there,
 *    `stop` included, deletes all that was written.
 */
export class Ingestion {
  readonly #options: IngestionOptions
  readonly #abort: AbortController = new AbortController()
  /** Where one run after the other is put in order. */
  readonly #arenas: ArenaPool
  readonly #tableIds: Map<string, number> = new Map()
  /** Oldest first. */
  readonly #runs: FileMeta[][] = []
  #merging: Promise<FileMeta[]> | undefined
  /** Settles when all runs are written, or one failed; then all later ones fail as it did. */
  #newest: Promise<void> = NOTHING
  /** The same without the run that was added last. */
  #beforeNewest: Promise<void> = NOTHING
  /** Runs that are not written yet. */
  #waiting = 0
  #failure: { error: unknown } | undefined
  #committing = false
  #holdsWrites = false
  #stopping: Promise<void> | undefined
  /** Resolves when it is committed or given up, and nothing is under way any more. */
  readonly ended: Promise<void>
  #end: () => void = () => {}

  constructor(options: IngestionOptions) {
    this.#options = options
    this.#arenas = new ArenaPool(options.ingestChunkBytes, false)
    this.ended = new Promise((resolve) => {
      this.#end = () => {
        // Whoever made the batch may keep it.
        this.#arenas.clear()
        resolve()
      }
    })
  }

  /** The ids that the tables of what is written have, by name. */
  get tableIds(): ReadonlyMap<string, number> {
    return this.#tableIds
  }

  /** Takes over a run's records, which are newer than those before. */
  add(records: EncodedRecords): void {
    if (this.#failure !== undefined) return
    this.#append([records], true)
  }

  /**
   * Resolves when at most one run waits to be written or is being written. `yields` gives I/O a
   * turn even where nothing has to be waited for. Rejects when a run couldn't be written.
   */
  drain(yields: boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#waiting > 1) return this.#beforeNewest
    return yields && this.#waiting > 0 ? this.#options.env.yield() : NOTHING
  }

  /**
   * Commits everything, `last` being the records after those of all runs, oldest first. Throws what
   * kept a run from being written, the signal's reason, or `CommitConflictError` where a table was
   * dropped meanwhile, or where the guard finds the commit contradicted.
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
      // A batch that fits one run lies in as few files as can be, whatever the number of its
      // tables.
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
   * Gives up, unless the commit is on its way to the log already: ends what is under way and
   * deletes what was written. Resolves when that is done.
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
    // Met by `drain` and `commit`; the rest of the work ends now.
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
