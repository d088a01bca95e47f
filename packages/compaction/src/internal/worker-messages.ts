import { copyBytes } from '@firn/bytes'
import { FirnError, isFirnError, isUint8Array, messageOf } from '@firn/env'
import { DamagedInputError } from '../errors.js'
import type { CompactionPlan, CompactionResult } from '../plan.js'
import type { CompactionProgress } from '../run-compaction.js'

// What the thread that plans and the thread that compacts say to each other. Plain data.

/** How the worker finds the store. */
export interface FsStoreDescription {
  kind: 'fs'
  directory: string
  /** Which directory it has to be: see `FsObjectStoreOptions`. */
  directoryId?: string | undefined
  /** Default true: outputs are on the device before they are committed. */
  fsync?: boolean
}

export interface WorkerTuning {
  blockBytes?: number | undefined
  filterBitsPerKey?: number
  readAheadBytes?: number
}

export type WorkerRequest =
  | {
      type: 'run'
      id: number
      plan: CompactionPlan
      store: FsStoreDescription
      incarnation: string
      baseVersion: number
      tuning: WorkerTuning
    }
  | { type: 'abort'; id: number }
  | { type: 'close' }

export type WorkerReply =
  | { type: 'done'; id: number; result: CompactionResult }
  | { type: 'failed'; id: number; error: ErrorDescription }
  | { type: 'progress'; id: number; progress: CompactionProgress }
  | { type: 'closed' }
  /** The thread's code was loaded. */
  | { type: 'ready' }

/** An error on its way to another thread, where its class would be lost. */
export interface ErrorDescription {
  message: string
  code?: string
  retryable?: boolean
  /** Of a `FirnError`, rather than one of the system. */
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
 * A copy in which every byte array has a buffer of its own: a message takes the whole buffer of an
 * array along, and keys are often views into something large.
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
