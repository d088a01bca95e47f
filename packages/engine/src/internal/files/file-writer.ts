import { mergeCommitFiles } from '@firn/compaction'
import type { Env, TimeSlice } from '@firn/env'
import {
  type DatabaseState,
  decodeEdits,
  type FileMeta,
  fileMeta,
  newFileId,
  type RecordVisitor,
  readSomeRecords,
} from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { type StoreFiles, type WriteFilesOptions, writeFiles } from '@firn/sst/store'
import type { ArenaPool } from '../memtable/arena-pool.js'
import { FlushCursor } from '../memtable/flush-cursor.js'
import { Memtable } from '../memtable/memtable.js'
import type { MemtablePartition } from '../memtable/memtable-partition.js'
import { storedFiles } from './stored-files.js'
import type { Threads, WorkerThread } from './threads.js'

export interface FileWriterOptions {
  env: Env
  /** Decides when to give others a turn. */
  slice: TimeSlice
  store: ObjectStore
  incarnation: string
  /** Returns the newest state that this process knows. */
  state: () => DatabaseState
  targetFileBytes: number
  blockBytes: number | undefined
  threads: Threads
}

/** Reads the clock after sorting this many records, which takes some millisecond. */
const RECORDS_PER_LOOK = 1000

const THREAD_FROM_BYTES = 4 * 1024 * 1024

/** Encoded records. `ids[i]` stands for `tables[i]` in them. */
export interface RecordsToWrite {
  readonly tables: readonly { readonly name: string }[]
  readonly ids: readonly number[]
  /** Emptied as they are written, to free their memory. */
  readonly payloads: Uint8Array[]
}

/** The most bytes that the files of a merge together read ahead. */
const MERGE_READ_AHEAD_BYTES = 32 * 1024 * 1024

/** Writes memtables and large batches to files of level 0. */
export class FileWriter {
  readonly #options: FileWriterOptions
  /** Merges of files of single commits. */
  readonly merges: { count: number; filesIn: number; filesOut: number } & Record<
    'bytesRead' | 'bytesWritten',
    number
  > = { count: 0, filesIn: 0, filesOut: 0, bytesRead: 0, bytesWritten: 0 }

  constructor(options: FileWriterOptions) {
    this.#options = options
  }

  /**
   * Writes all records of a memtable, with their timestamps. If threads are available, a thread
   * writes a large one: it takes about a microsecond per record, which writers would lose.
   */
  writeMemtable(memtable: Memtable, signal: AbortSignal): Promise<FileMeta[]> {
    const inline = (): Promise<FileMeta[]> =>
      this.#write(memtable, { timestamps: 'record', splitTables: false, signal })
    if (memtable.memoryBytes < THREAD_FROM_BYTES) return inline()
    return this.#options.threads.run(
      'flush',
      (thread) => this.#writeInThread(memtable, thread, signal),
      inline,
    )
  }

  #writeInThread(
    memtable: Memtable,
    thread: WorkerThread,
    signal: AbortSignal,
  ): Promise<FileMeta[]> {
    const { targetFileBytes } = this.#options
    const state = this.#options.state()
    const request = {
      baseVersion: state.version,
      targetFileBytes,
      tables: [...memtable.tables.values()].flatMap((table) => {
        const known = state.tables.get(table.tableId)
        return known === undefined
          ? []
          : [{ memtable: table.parts(), compression: known.options.compression }]
      }),
    }
    return thread.flush(request, signal)
  }

  /**
   * Writes records, given oldest first, to files of one commit in key order. The commit's entry
   * will give them their timestamp. Of a key written twice, the last record stays. `tableIds` has
   * the ids by table name.
   */
  async writeRecords(
    records: readonly RecordsToWrite[],
    tableIds: ReadonlyMap<string, number>,
    options: { splitTables: boolean; arenas: ArenaPool; signal: AbortSignal },
  ): Promise<FileMeta[]> {
    const { splitTables, arenas, signal } = options
    const memtable = new Memtable(arenas).retain()
    try {
      await this.#insert(records, tableIds, memtable, signal)
      return await this.#write(memtable, { timestamps: 'file', splitTables, signal })
    } finally {
      memtable.release()
    }
  }

  async #insert(
    records: readonly RecordsToWrite[],
    tableIds: ReadonlyMap<string, number>,
    memtable: Memtable,
    signal: AbortSignal,
  ): Promise<void> {
    for (const { tables, ids, payloads } of records) {
      const byName = tables.map(({ name }) => memtable.table(tableIds.get(name) as number))
      const byId = new Map(ids.map((id, i) => [id, byName[i] as MemtablePartition]))
      for (let next = payloads.shift(); next !== undefined; next = payloads.shift()) {
        for (const edit of decodeEdits(next)) {
          if (edit.type === 'records') await this.#insertRecords(edit.bytes, byId, signal)
        }
      }
    }
  }

  /** Inserts the records of a batch. `byId` has the tables by their ids in the batch. */
  async #insertRecords(
    records: Uint8Array,
    byId: ReadonlyMap<number, MemtablePartition>,
    signal: AbortSignal,
  ): Promise<void> {
    let last = -1
    let table: MemtablePartition | undefined
    const insert: RecordVisitor = (id, kind, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      if (table === undefined || id !== last) {
        last = id
        table = byId.get(id) as MemtablePartition
      }
      table.insert(1, kind, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd)
    }
    for (let at = 0; at < records.length; ) {
      at = readSomeRecords(records, at, RECORDS_PER_LOOK, insert)
      const turn = this.#options.slice.look()
      if (turn !== undefined) await turn
      signal.throwIfAborted()
    }
  }

  /** Merges a commit's runs, oldest first, into files that don't overlap; see `Ingestion`. */
  async mergeRuns(
    runs: readonly (readonly FileMeta[])[],
    signal: AbortSignal,
  ): Promise<FileMeta[]> {
    const { openSource } = this.#stored(signal)
    const readAheadBytes = MERGE_READ_AHEAD_BYTES
    const options = { ...this.#output(signal), openSource, readAheadBytes }
    const merged = await mergeCommitFiles(runs, options)
    this.#noteMerge(runs.flat(), merged)
    return merged
  }

  /** Files without overlap are in the result unchanged: they don't count as merged. */
  #noteMerge(before: readonly FileMeta[], after: readonly FileMeta[]): void {
    const stayed = new Set(after)
    const given = new Set(before)
    const taken = before.filter((file) => !stayed.has(file))
    if (taken.length === 0) return
    const made = after.filter((file) => !given.has(file))
    const { merges } = this
    merges.count++
    merges.filesIn += taken.length
    merges.filesOut += made.length
    merges.bytesRead += taken.reduce((sum, { bytes }) => sum + bytes, 0)
    merges.bytesWritten += made.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /**
   * Deletes files that no entry names. A file that can't be deleted is left to the next orphan
   * sweep.
   */
  async discard(files: readonly FileMeta[]): Promise<void> {
    if (files.length === 0) return
    await this.#stored()
      .discard(files.map(({ id }) => id))
      .catch(() => {})
  }

  async #write(
    memtable: Memtable,
    options: { timestamps: 'record' | 'file'; splitTables: boolean; signal: AbortSignal },
  ): Promise<FileMeta[]> {
    const { tables } = this.#options.state()
    const { signal, ...shape } = options
    const written = await writeFiles(new FlushCursor(memtable, (id) => tables.has(id)), {
      ...this.#output(signal),
      ...shape,
    })
    const commitFile = shape.timestamps === 'file'
    return written.map((summary) => fileMeta(summary, { level: 0, commitFile }))
  }

  #stored(signal?: AbortSignal): StoreFiles {
    const { store, incarnation } = this.#options
    return storedFiles(store, incarnation, signal)
  }

  #output(
    signal: AbortSignal,
  ): Omit<WriteFilesOptions, 'timestamps' | 'splitTables' | 'filter' | 'discard'> &
    Pick<StoreFiles, 'discard'> {
    const { env, targetFileBytes, blockBytes } = this.#options
    const state = this.#options.state()
    const { upload, discard } = this.#stored(signal)
    return {
      env,
      targetFileBytes,
      blockBytes,
      newFileId: () => newFileId(state.version, env),
      upload,
      discard,
      tableOptions: (id) => ({ compression: state.tables.get(id)?.options.compression ?? 'lz4' }),
      signal,
    }
  }
}
