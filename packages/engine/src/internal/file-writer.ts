import { storeFiles, writeFiles } from '@firn/compaction'
import { type Env, isFirnError, ulid } from '@firn/env'
import type { DatabaseState, FileMeta } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import type { EncodedBatch } from './batch-writer.js'
import { visitRecords } from './commit-group.js'
import { FlushCursor } from './flush-cursor.js'
import { Memtable } from './memtable.js'
import type { TableMemtable } from './table-memtable.js'
import type { Threads } from './threads.js'
import type { VersionSet } from './version-set.js'

export interface FileWriterOptions {
  env: Env
  store: ObjectStore
  incarnation: string
  versions: VersionSet
  targetFileBytes: number
  blockBytes: number | undefined
  /** Another thread that can open the same store; `undefined` where there is none. */
  thread: Threads['flush'] | undefined
}

const THREAD_FROM_BYTES = 4 * 1024 * 1024

/** Writes memtables and large batches to files of level 0. */
export class FileWriter {
  readonly #options: FileWriterOptions

  constructor(options: FileWriterOptions) {
    this.#options = options
  }

  /**
   * All records of a memtable, with their timestamps. A large one is written by a thread of its own
   * where there can be one: it takes about a microsecond a record, which writers would miss.
   */
  writeMemtable(memtable: Memtable, signal: AbortSignal): Promise<FileMeta[]> {
    const { thread } = this.#options
    if (thread !== undefined && memtable.memoryBytes >= THREAD_FROM_BYTES) {
      return this.#writeInThread(memtable, thread)
    }
    return this.#write(memtable, 'record', signal)
  }

  #writeInThread(memtable: Memtable, thread: Threads['flush']): Promise<FileMeta[]> {
    const { incarnation, versions, targetFileBytes, blockBytes } = this.#options
    const { state } = versions
    return thread.flush({
      incarnation,
      baseVersion: state.version,
      targetFileBytes,
      blockBytes,
      tables: [...memtable.tables.values()].flatMap((table) => {
        const known = state.tables.get(table.tableId)
        return known === undefined
          ? []
          : [{ memtable: table.parts(), compression: known.options.compression }]
      }),
    })
  }

  /**
   * The records of a batch as files of one commit, whose timestamp the entry gives them. `ids[i]` is
   * the id of the batch's table `i`; of a key that was written twice, the last record stays.
   */
  writeBatch(
    batch: EncodedBatch,
    ids: readonly number[],
    signal?: AbortSignal,
  ): Promise<FileMeta[]> {
    const memtable = new Memtable()
    const tables = new Map(batch.ids.map((id, i) => [id, memtable.table(ids[i] as number)]))
    visitRecords(batch.payload, (id, kind, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      const table = tables.get(id) as TableMemtable
      table.insert(1, kind, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd)
    })
    return this.#write(memtable, 'file', signal)
  }

  /** Deletes files that no entry names. What can't be deleted is an orphan for the next sweep. */
  async discard(files: readonly FileMeta[]): Promise<void> {
    const { store, incarnation } = this.#options
    const ids = files.map(({ id }) => id)
    await storeFiles(store, incarnation)
      .discard(ids)
      .catch(() => {})
  }

  /** `discard`, unless the entry that names the files may exist after all. */
  async discardUnlessUnknown(files: readonly FileMeta[], error: unknown): Promise<void> {
    const refused = isFirnError(error, 'FIRN_COMMIT_CONFLICT')
    if (refused) await this.discard(files)
  }

  async #write(
    memtable: Memtable,
    timestamps: 'record' | 'file',
    signal: AbortSignal | undefined,
  ): Promise<FileMeta[]> {
    const { env, store, incarnation, versions, targetFileBytes, blockBytes } = this.#options
    const { state } = versions
    return writeFiles(new FlushCursor(memtable, (id) => state.tables.has(id)), {
      env,
      level: 0,
      timestamps,
      targetFileBytes,
      ...(blockBytes === undefined ? {} : { blockBytes }),
      newFileId: () => newFileId(state, env),
      upload: storeFiles(store, incarnation, { signal }).upload,
      tableOptions: (id) => ({ compression: state.tables.get(id)?.options.compression ?? 'lz4' }),
      ...(signal === undefined ? {} : { signal }),
    })
  }
}

/** A name for a new file, based on the newest version that its writer has seen. */
export function newFileId(state: DatabaseState, env: Env): string {
  return `${state.version}-${ulid(env)}`
}
