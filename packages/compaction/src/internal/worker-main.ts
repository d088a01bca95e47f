// The worker thread's side of `CompactionWorker`: one store, any number of runs.
import { parentPort } from 'node:worker_threads'
import { systemEnv, ulid } from '@firn/env'
import { sstKey } from '@firn/manifest'
import { FsObjectStore } from '@firn/object-store/fs'
import { storeFiles } from '@firn/sst/store'
import { runCompaction } from '../run-compaction.js'
import {
  describeError,
  type FsStoreDescription,
  type WorkerReply,
  type WorkerRequest,
} from './worker-messages.js'

/** Nobody shares this thread; aborts and progress still want a turn. */
const YIELD_AFTER_MS = 20

const stores = new Map<string, FsObjectStore>()
const runs = new Map<number, AbortController>()

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message)
}

function storeAt({ directory, directoryId, fsync = true }: FsStoreDescription): FsObjectStore {
  const name = `${fsync} ${directoryId} ${directory}`
  let store = stores.get(name)
  if (store === undefined) {
    store = new FsObjectStore(directory, {
      fsync,
      ...(directoryId === undefined ? {} : { directoryId }),
    })
    stores.set(name, store)
  }
  return store
}

async function run(request: Extract<WorkerRequest, { type: 'run' }>): Promise<void> {
  const { id, plan, store, incarnation, baseVersion, tuning } = request
  const controller = new AbortController()
  runs.set(id, controller)
  const { signal } = controller
  try {
    const result = await runCompaction(plan, {
      ...storeFiles(storeAt(store), (file) => sstKey(incarnation, file), { signal }),
      ...tuning,
      newFileId: () => `${baseVersion}-${ulid(systemEnv)}`,
      yieldAfterMs: YIELD_AFTER_MS,
      onProgress: (progress) => reply({ type: 'progress', id, progress }),
      signal,
    })
    reply({ type: 'done', id, result })
  } catch (error) {
    reply({ type: 'failed', id, error: describeError(error) })
  } finally {
    runs.delete(id)
  }
}

async function close(): Promise<void> {
  for (const store of stores.values()) await store.close().catch(() => {})
  stores.clear()
  // Whoever hears it terminates this thread: not every runtime has a port that can be closed from
  // here.
  reply({ type: 'closed' })
}

parentPort?.on('message', (request: WorkerRequest) => {
  if (request.type === 'run') void run(request)
  else if (request.type === 'abort') runs.get(request.id)?.abort()
  else void close()
})

reply({ type: 'ready' })
