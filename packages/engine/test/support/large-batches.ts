import type { ObjectStore } from '@firn/object-store'
import type { Batch, OpenOptions, Table } from '../../src/index.js'

export const TEXT = { keys: 'utf8', values: 'utf8', compression: 'none' } as const
export const RUN_BYTES = 8 * 1024
/** A batch of some hundred rows is many runs. */
export const SMALL_RUNS: OpenOptions = {
  compaction: 'off',
  memtableBytes: RUN_BYTES,
  maxStalenessMs: 1e9,
  tuning: { blockBytes: 512, inlineLimitBytes: 2000, targetFileBytes: 2 * RUN_BYTES },
}

export const number = (i: number): string => String(i).padStart(6, '0')
export const row = (i: number): [string, string] => [number(i), `${i} `.repeat(20).slice(0, 100)]

export async function putAll(batch: Batch, table: Table<string, string>, keys: readonly number[]) {
  for (const [n, i] of keys.entries()) {
    batch.put(table, ...row(i))
    if (n % 10 === 0) await batch.drain()
  }
}

export async function filesIn(store: ObjectStore): Promise<string[]> {
  const files: string[] = []
  for await (const { key } of store.list()) if (key.endsWith('.sst')) files.push(key)
  return files
}

export const ascending = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
/** Every number below `count` once, far from in order. `count` is no multiple of 7. */
export const scattered = (count: number): number[] => ascending(count).map((i) => (i * 7) % count)
