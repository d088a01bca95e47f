import { compareBytes } from '@firn/bytes'
import { type Env, ulid } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import {
  applyEntry,
  type DatabaseState,
  type Edit,
  emptyState,
  type FileMeta,
  fileMeta,
  liveFiles,
  newFileId,
  sstKey,
} from '@firn/manifest'
import {
  type HistoryRetention,
  KIND_DELETE,
  KIND_PUT,
  MergingCursor,
  type RecordCursor,
  tableIdOf,
  VisibleCursor,
} from '@firn/mvcc'
import { ArrayCursor, compareRecords, drain, type VersionedRecord } from '@firn/mvcc/testing'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { SstReader, type SstSource } from '@firn/sst'
import { storeFiles, writeFiles } from '@firn/sst/store'
import {
  type CompactionPlan,
  type CompactionResult,
  type LeveledOptions,
  planLeveled,
  type RunCompactionOptions,
  runCompaction,
} from '../src/index.js'
import { key, tableOf } from './picture.js'

export const keyOf = (id: string): string => sstKey('x', id)

/**
 * As much of a database as compaction needs to prove itself: a log folded by the manifest, a
 * memtable, files in a store, and a model that remembers every record ever written.
 */
export class SmallDatabase {
  readonly env: Env
  readonly store: ObjectStore
  readonly written: VersionedRecord[] = []
  readonly leveled: Omit<LeveledOptions, 'now'>
  state: DatabaseState = emptyState()
  memtable: VersionedRecord[] = []
  bytesIngested = 0
  bytesCompacted = 0

  constructor(
    histories: readonly HistoryRetention[],
    leveled: Omit<LeveledOptions, 'now'>,
    store: ObjectStore = new MemoryObjectStore(),
  ) {
    this.store = store
    this.env = new TestEnv({ seed: 5 })
    this.leveled = leveled
    this.append([{ type: 'create-database', incarnation: ulid(this.env) }])
    for (const [i, history] of histories.entries()) {
      const { id, name, options } = tableOf(i + 1, history)
      this.append([{ type: 'create-table', id, name, options }])
    }
  }

  /** Entries are a millisecond apart. */
  append(edits: readonly Edit[]): number {
    const version = this.state.version + 1
    const timestamp = version * 1000
    const payload = new Uint8Array(0)
    const token = ulid(this.env)
    this.state = applyEntry(this.state, { version, timestamp, token, payload }, edits)
    return timestamp
  }

  /** A commit of `1:key=value` puts and `1:key!` deletes, inline or as a file of its own. */
  async commit(writes: readonly string[], asFile = false): Promise<void> {
    const records = writes.map((write) => {
      const [, name = '', value] = /^([^=!]+)[=!]?(.*)$/.exec(write) ?? []
      const kind = write.endsWith('!') ? KIND_DELETE : KIND_PUT
      const bytes = new TextEncoder().encode(kind === KIND_DELETE ? '' : value)
      return { key: key(name), timestamp: 0, kind, value: bytes }
    })
    const unique = records.filter(
      (record, i) =>
        !records.slice(i + 1).some((other) => compareBytes(other.key, record.key) === 0),
    )
    const timestamp = (this.state.version + 1) * 1000
    const stamped = unique.map((record) => ({ ...record, timestamp }))
    this.written.push(...stamped)
    for (const { key: k, value } of stamped) this.bytesIngested += k.length + value.length
    if (!asFile) {
      this.append([{ type: 'records', bytes: new Uint8Array(0) }])
      this.memtable.push(...stamped)
      return
    }
    const cursor = new ArrayCursor(unique.sort(compareRecords), { stable: false })
    this.append([{ type: 'add-files', files: await this.write(cursor, 'file') }])
  }

  async flush(): Promise<void> {
    const records = [...this.memtable].sort(compareRecords)
    const files = await this.write(new ArrayCursor(records, { stable: false }), 'record')
    const { flushedThrough: from, version: through } = this.state
    this.append([{ type: 'flush', from, through, files }])
    this.memtable = []
  }

  async write(cursor: RecordCursor, timestamps: 'record' | 'file'): Promise<FileMeta[]> {
    const written = await writeFiles(cursor, {
      ...this.outputs(),
      splitTables: false,
      timestamps,
      targetFileBytes: this.leveled.targetFileBytes ?? 2 ** 20,
      tableOptions: () => ({ compression: 'none' }),
    })
    const commitFile = timestamps === 'file'
    return written.map((summary) => fileMeta(summary, { level: 0, commitFile }))
  }

  outputs(): Pick<RunCompactionOptions, 'env' | 'newFileId' | 'upload' | 'discard' | 'blockBytes'> {
    const { upload, discard } = storeFiles(this.store, keyOf)
    return {
      upload,
      discard,
      env: this.env,
      blockBytes: 128,
      newFileId: () => newFileId(this.state.version, this.env),
    }
  }

  plan(more: Partial<LeveledOptions> = {}): CompactionPlan | undefined {
    const oldest = Math.min(...this.memtable.map(({ timestamp }) => timestamp))
    return planLeveled(this.state, {
      now: this.state.timestamp,
      flushedTimestamp: oldest - 1,
      ...this.leveled,
      ...more,
    })
  }

  run(plan: CompactionPlan, more: Partial<RunCompactionOptions> = {}): Promise<CompactionResult> {
    return runCompaction(plan, {
      ...this.outputs(),
      openSource: (file) => this.source(file),
      ...more,
    })
  }

  /** One compaction, as an engine does it; false when the strategy sees nothing to do. */
  async compactOnce(more: Partial<LeveledOptions> = {}): Promise<boolean> {
    const plan = this.plan(more)
    if (plan === undefined) return false
    const result = await this.run(plan)
    this.commitResult(result)
    return true
  }

  commitResult({ removed, added, floors, bytesWritten }: CompactionResult): void {
    this.bytesCompacted += bytesWritten
    this.append([{ type: 'compact', removed, added, floors }])
  }

  async compactAll(): Promise<number> {
    let count = 0
    while (await this.compactOnce()) {
      if (++count > 500) throw new Error('compaction comes to no end')
    }
    return count
  }

  source(file: FileMeta): SstSource {
    return storeFiles(this.store, keyOf).openSource(file)
  }

  async records(file: FileMeta): Promise<VersionedRecord[]> {
    const reader = await SstReader.open(this.source(file), {
      fileId: file.id,
      ...(file.commitFile ? { timestamp: file.minTimestamp } : {}),
    })
    const cursor = reader.cursor({})
    const records = await drain(cursor, cursor.first())
    await reader.close()
    return records
  }

  /** What a reader at each of the timestamps sees of a table, from the files and the memtable. */
  async read(tableId: number, timestamps: readonly number[]): Promise<VersionedRecord[][]> {
    const sources = [[...this.memtable].sort(compareRecords)]
    for (const file of liveFiles(this.state)) sources.push(await this.records(file))
    const ours = sources.map((list) => list.filter((record) => tableIdOf(record.key) === tableId))
    const seen: VersionedRecord[][] = []
    for (const timestamp of timestamps) {
      const merge = new MergingCursor(ours.map((list) => new ArrayCursor(list)))
      const cursor = new VisibleCursor(merge, { timestamp })
      seen.push(await drain(cursor, cursor.first()))
    }
    return seen
  }

  /** What it should see. */
  model(tableId: number, timestamp: number): VersionedRecord[] {
    const newest = new Map<string, VersionedRecord>()
    for (const record of this.written) {
      const name = record.key.join()
      const other = newest.get(name)
      if (tableIdOf(record.key) !== tableId || record.timestamp > timestamp) continue
      if (other === undefined || other.timestamp < record.timestamp) newest.set(name, record)
    }
    return [...newest.values()].filter(({ kind }) => kind !== KIND_DELETE).sort(compareRecords)
  }
}
