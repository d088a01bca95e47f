// The worker thread's side of `WorkerHost`: one store, any number of tasks.
import { parentPort, workerData } from 'node:worker_threads'
import { type CompactionResult, runCompaction } from '@firn/compaction'
import { systemEnv } from '@firn/env'
import { type FileMeta, fileMeta, newFileId } from '@firn/manifest'
import { FsObjectStore } from '@firn/object-store/fs'
import { writeFiles } from '@firn/sst/store'
import { FlushCursor } from '../memtable/flush-cursor.js'
import { Memtable } from '../memtable/memtable.js'
import { MemtablePartition } from '../memtable/memtable-partition.js'
import { storedFiles } from './stored-files.js'
import {
  type CompactionRequest,
  describeError,
  type FlushRequest,
  type WorkerPlace,
  type WorkerReply,
  type WorkerRequest,
} from './worker-messages.js'

// Writers wait for a flush, so it gets five times as much of the thread as a compaction beside it.
// On two busy cores, a flush beside a compaction took no longer than with a thread of its own,
// which takes some 50 MB. With more cores, two threads would do more.
const FLUSH_YIELD_AFTER_MS = 20
const COMPACTION_YIELD_AFTER_MS = 4

const { directory, directoryId, incarnation, blockBytes } = workerData as WorkerPlace
const store = new FsObjectStore(directory, { env: systemEnv, directoryId })
const running = new Map<number, AbortController>()

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message)
}

/** An abort doesn't end it: it takes less than a second, and saves the next open the same work. */
async function flush(request: FlushRequest): Promise<FileMeta[]> {
  const { baseVersion, targetFileBytes } = request
  const memtable = new Memtable()
  const compression = new Map<number, 'none' | 'lz4' | 'deflate'>()
  for (const table of request.tables) {
    const { tableId } = table.memtable
    memtable.tables.set(tableId, MemtablePartition.fromParts(table.memtable))
    compression.set(tableId, table.compression)
  }
  const written = await writeFiles(new FlushCursor(memtable, () => true), {
    ...storedFiles(store, incarnation),
    blockBytes,
    splitTables: false,
    timestamps: 'record',
    targetFileBytes,
    yieldAfterMs: FLUSH_YIELD_AFTER_MS,
    newFileId: () => newFileId(baseVersion, systemEnv),
    tableOptions: (id) => ({ compression: compression.get(id) ?? 'lz4' }),
  })
  return written.map((summary) => fileMeta(summary, { level: 0, commitFile: false }))
}

function compact(request: CompactionRequest, signal: AbortSignal): Promise<CompactionResult> {
  const { baseVersion, plan } = request
  return runCompaction(plan, {
    ...storedFiles(store, incarnation, signal),
    blockBytes,
    newFileId: () => newFileId(baseVersion, systemEnv),
    yieldAfterMs: COMPACTION_YIELD_AFTER_MS,
    signal,
  })
}

async function run({ id, task }: Extract<WorkerRequest, { type: 'run' }>): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  try {
    const result = await (task.type === 'flush' ? flush(task) : compact(task, controller.signal))
    reply({ type: 'done', id, result })
  } catch (error) {
    reply({ type: 'failed', id, error: describeError(error) })
  } finally {
    running.delete(id)
  }
}

async function close(): Promise<void> {
  await store.close().catch(() => {})
  // The host then terminates this thread: not every runtime has a port that can be closed from
  // here.
  reply({ type: 'closed' })
}

parentPort?.on('message', (request: WorkerRequest) => {
  if (request.type === 'run') void run(request)
  else if (request.type === 'abort') running.get(request.id)?.abort()
  else void close()
})

reply({ type: 'ready' })
