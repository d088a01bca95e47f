import type { CompactionPlan, CompactionResult } from '@firn/compaction'
import type { FileMeta } from '@firn/manifest'
import type { FlushRequest } from './flush-thread-main.js'

/** Work that other threads do. */
export interface Threads {
  flush: {
    flush(request: FlushRequest, signal: AbortSignal): Promise<FileMeta[]>
    close(): Promise<void>
  }
  compaction: {
    run(
      plan: CompactionPlan,
      options: { baseVersion: number; keepAlive: boolean; signal: AbortSignal },
    ): Promise<CompactionResult>
    close(): Promise<void>
  }
}
