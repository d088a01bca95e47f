import type { Env } from '@firn/env'
import { type FileMeta, fileMeta } from '@firn/manifest'
import { MergingCursor, tableIdOf } from '@firn/mvcc'
import type { Upload } from '@firn/object-store'
import type { SstSource, StatisticsCollector } from '@firn/sst'
import { writeFiles } from '@firn/sst/store'
import { RetentionFilter } from './internal/retention-filter.js'
import { RunCursor } from './internal/run-cursor.js'
import { type CompactionPlan, type CompactionResult, type MergePlan, planInputs } from './plan.js'

export interface RunCompactionOptions {
  env?: Env | undefined
  /** Opens the source of a file's bytes. */
  openSource: (file: FileMeta) => SstSource | Promise<SstSource>
  /** Returns a fresh id, never used before: `<base version>-<ulid>`. */
  newFileId: () => string
  /** Starts the upload of a file's object. */
  upload: (id: string) => Promise<Upload>
  /** Deletes finished outputs of a compaction that failed later. */
  discard?: ((ids: readonly string[]) => Promise<void>) | undefined
  /** Returns a table's statistics collectors by name, new ones at each call. */
  statistics?:
    | ((tableId: number) => Readonly<Record<string, () => StatisticsCollector>>)
    | undefined
  blockBytes?: number | undefined
  filterBitsPerKey?: number | undefined
  /** Most bytes that all inputs together may fetch ahead. Default 16 MiB; at most 1 MiB per run. */
  readAheadBytes?: number | undefined
  /** Milliseconds of work after which other tasks get a turn. Default 4. */
  yieldAfterMs?: number | undefined
  onProgress?: ((progress: CompactionProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

export interface CompactionProgress {
  recordsRead: number
  bytesRead: number
  bytesWritten: number
}

const MIB = 1024 * 1024

/**
 * Carries out a plan, except for the commit: the caller commits the result, and nothing changes
 * before that. Moves and drops need no I/O.
 *
 * Throws `DamagedInputError` if an input can't be read, the stores' errors, or the signal's reason.
 * Then no output stays behind, unless the store fails to delete it.
 */
export async function runCompaction(
  plan: CompactionPlan,
  options: RunCompactionOptions,
): Promise<CompactionResult> {
  options.signal?.throwIfAborted()
  if (plan.type === 'merge') return merge(plan, options)
  return {
    removed: planInputs(plan).map(({ id }) => id),
    added:
      plan.type === 'move'
        ? plan.files.map(({ table, file, toLevel }) => ({
            table,
            file: { ...file, level: toLevel },
          }))
        : [],
    floors: [],
    bytesRead: 0,
    bytesWritten: 0,
    recordsRead: 0,
    recordsDropped: 0,
  }
}

async function merge(plan: MergePlan, options: RunCompactionOptions): Promise<CompactionResult> {
  const { env, openSource, newFileId, upload, discard, signal } = options
  const { blockBytes, filterBitsPerKey, yieldAfterMs } = options
  const total = options.readAheadBytes ?? 16 * MIB
  const runs = plan.runs.filter((run) => run.length > 0)
  const readAheadBytes = Math.max(64 * 1024, Math.min(MIB, Math.floor(total / runs.length)))
  let bytesRead = 0
  let recordsRead = 0
  let bytesWritten = 0
  const counted = async (file: FileMeta): Promise<SstSource> => {
    const source = await openSource(file)
    return countReads(source, (bytes) => {
      bytesRead += bytes
    })
  }
  const cursors = runs.map((run) => new RunCursor(run, { openSource: counted, readAheadBytes }))
  const [first] = cursors
  const cursor = cursors.length === 1 && first !== undefined ? first : new MergingCursor(cursors)
  const filter = new RetentionFilter(plan)
  const tables = new Map(plan.tables.map((table) => [table.id, table]))
  const { outputLevel: level } = plan
  const written = await writeFiles(cursor, {
    splitTables: level > 0,
    timestamps: 'record',
    targetFileBytes: plan.targetFileBytes,
    newFileId,
    upload,
    filter,
    tableOptions: (id) => {
      const table = tables.get(id)
      const wanted = (table?.statistics.length ?? 0) > 0
      const statistics = (wanted && options.statistics?.(id)) || {}
      return { compression: table?.compression ?? 'none', statistics }
    },
    onProgress: (progress) => {
      recordsRead = progress.recordsRead
      bytesWritten = progress.bytesWritten
      options.onProgress?.({ ...progress, bytesRead })
    },
    env,
    blockBytes,
    filterBitsPerKey,
    discard,
    yieldAfterMs,
    signal,
  })
  return {
    removed: planInputs(plan).map(({ id }) => id),
    added: written.map((summary) => ({
      table: tableIdOf(summary.smallest),
      file: fileMeta(summary, { level, commitFile: false }),
    })),
    floors: filter.floors(),
    bytesRead,
    bytesWritten,
    recordsRead,
    recordsDropped: filter.dropped,
  }
}

function countReads(source: SstSource, count: (bytes: number) => void): SstSource {
  return {
    async read(offset, length, options) {
      const bytes = await source.read(offset, length, options)
      count(bytes.length)
      return bytes
    },
    async readTail(length, options) {
      const tail = await source.readTail(length, options)
      count(tail.bytes.length)
      return tail
    },
    close: async () => source.close?.(),
  }
}
