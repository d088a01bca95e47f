import { copyBytes } from '@firn/bytes'
import { type CompactionPlan, type CompactionResult, DamagedInputError } from '@firn/compaction'
import { FirnError, isFirnError, isUint8Array, messageOf } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import type { MemtablePartitionParts } from '../memtable/memtable-partition.js'

// Messages between the database's thread and a worker thread. Plain data.

/** The files that a worker thread reads and writes. */
export interface WorkerPlace {
  directory: string
  /** See `FsObjectStoreOptions`. */
  directoryId: string | undefined
  incarnation: string
  blockBytes: number | undefined
}

/** A memtable to write. */
export interface FlushRequest {
  baseVersion: number
  targetFileBytes: number
  tables: readonly { memtable: MemtablePartitionParts; compression: 'none' | 'lz4' | 'deflate' }[]
}

/** A plan to carry out. */
export interface CompactionRequest {
  baseVersion: number
  plan: CompactionPlan
}

export type WorkerTask =
  | ({ type: 'flush' } & FlushRequest)
  | ({ type: 'compaction' } & CompactionRequest)

export type WorkerResult = FileMeta[] | CompactionResult

export type WorkerRequest =
  | { type: 'run'; id: number; task: WorkerTask }
  | { type: 'abort'; id: number }
  | { type: 'close' }

export type WorkerReply =
  /** The thread has loaded its code. */
  | { type: 'ready' }
  | { type: 'done'; id: number; result: WorkerResult }
  | { type: 'failed'; id: number; error: ErrorDescription }
  | { type: 'closed' }

/** An error sent to another thread, where its class would be lost. */
export interface ErrorDescription {
  message: string
  code?: string
  retryable?: boolean
  /** True for a `FirnError`, false for a system error. */
  firn: boolean
  fileId?: string
}

export function describeError(error: unknown): ErrorDescription {
  if (isFirnError(error)) {
    const { message, code, retryable } = error
    const { fileId } = error as { fileId?: unknown }
    const description = { message, code, retryable, firn: true }
    return typeof fileId === 'string' ? { ...description, fileId } : description
  }
  const { code } = (error ?? {}) as { code?: unknown }
  const message = messageOf(error)
  return { message, firn: false, ...(typeof code === 'string' ? { code } : {}) }
}

export function recreateError(description: ErrorDescription): Error {
  const { message, code, retryable = false, firn, fileId } = description
  if (fileId !== undefined) return new DamagedInputError(fileId, message)
  if (firn && code !== undefined) return new FirnError(code, message, { retryable })
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}

/**
 * Copies data so that every byte array has a buffer of its own: a message takes an array's whole
 * buffer along, and keys are often views into something large.
 */
export function trimmed<T>(data: T): T {
  return trim(data) as T
}

function trim(data: unknown): unknown {
  if (isUint8Array(data)) return copyBytes(data)
  if (Array.isArray(data)) return data.map(trim)
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, trim(value)]))
}
