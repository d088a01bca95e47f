import { parentPort, workerData } from 'node:worker_threads'
import { storeFiles, writeFiles } from '@firn/compaction'
import { isFirnError, messageOf, systemEnv, ulid } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import { FsObjectStore } from '@firn/object-store/fs'
import { FlushCursor } from '../memtable/flush-cursor.js'
import { Memtable } from '../memtable/memtable.js'
import { MemtablePartition, type TableMemtableParts } from '../memtable/memtable-partition.js'

/** What the thread is asked: one memtable to write. */
export interface FlushRequest {
  incarnation: string
  baseVersion: number
  targetFileBytes: number
  blockBytes: number | undefined
  tables: readonly { memtable: TableMemtableParts; compression: 'none' | 'lz4' | 'deflate' }[]
}

export type FlushReply =
  /** The thread's code was loaded. */
  | { ready: true }
  | { files: FileMeta[] }
  | { error: { code: string | undefined; message: string; retryable: boolean } }

/** Where the files go: see `FsObjectStoreOptions`. */
export interface FlushStore {
  directory: string
  directoryId?: string | undefined
}

const { directory, ...options } = workerData as FlushStore
const store = new FsObjectStore(directory, { env: systemEnv, ...options })

async function flush(request: FlushRequest): Promise<FileMeta[]> {
  const { incarnation, baseVersion, targetFileBytes, blockBytes } = request
  const memtable = new Memtable()
  const compression = new Map<number, 'none' | 'lz4' | 'deflate'>()
  for (const table of request.tables) {
    const { tableId } = table.memtable
    memtable.tables.set(tableId, MemtablePartition.fromParts(table.memtable))
    compression.set(tableId, table.compression)
  }
  return writeFiles(new FlushCursor(memtable, () => true), {
    env: systemEnv,
    level: 0,
    timestamps: 'record',
    targetFileBytes,
    ...(blockBytes === undefined ? {} : { blockBytes }),
    newFileId: () => `${baseVersion}-${ulid(systemEnv)}`,
    upload: storeFiles(store, incarnation).upload,
    tableOptions: (id) => ({ compression: compression.get(id) ?? 'lz4' }),
  })
}

parentPort?.on('message', (request: FlushRequest) => {
  flush(request).then(
    (files) => parentPort?.postMessage({ files } satisfies FlushReply),
    (error: unknown) => {
      const { code, retryable } = isFirnError(error) ? error : { code: undefined, retryable: false }
      const message = messageOf(error)
      parentPort?.postMessage({ error: { code, message, retryable } } satisfies FlushReply)
    },
  )
})

parentPort?.postMessage({ ready: true } satisfies FlushReply)
