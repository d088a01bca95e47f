import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { MemoryObjectStore } from '@firn/object-store'
import { tempDirectory } from '@firn/test-support'
import { type Database, type OpenOptions, open } from '../../src/index.js'

/** A database that can be closed and opened again, wherever it lives. */
export interface Place {
  open(options?: OpenOptions): Promise<Database>
}

export type PlaceKind = 'memory' | 'file' | 'objects'

export const PLACE_KINDS: readonly PlaceKind[] = ['memory', 'file', 'objects']

export function makePlace(kind: PlaceKind): Place {
  if (kind === 'memory') {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    return {
      open: (options) => open({ ...options, store, log: () => new MemoryCommitLog({ storage }) }),
    }
  }
  const location = `file:${tempDirectory()}${kind === 'objects' ? '?log=objects' : ''}`
  return { open: (options) => open(location, options) }
}

/** Limits so small that a hundred writes take every path there is. */
export const TINY: OpenOptions = {
  compaction: 'inline',
  memtableBytes: 2048,
  cache: { memoryBytes: 8192 },
  maxStalenessMs: 0,
  tuning: {
    blockBytes: 256,
    targetFileBytes: 1024,
    levelBaseBytes: 4096,
    level0Trigger: 2,
    inlineLimitBytes: 600,
  },
}
