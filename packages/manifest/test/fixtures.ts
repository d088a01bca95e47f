import type { NewLogEntry } from '@firn/commit-log'
import { ulidFromBytes } from '@firn/env'
import type { FileMeta, TableOptionsState } from '../src/index.js'

export const INCARNATION = '01JD3ZJ8GQW0000000000000FN'

/** A ULID that shows the number from which it was made. */
export function token(n: number): string {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(12, n)
  return ulidFromBytes(bytes)
}

export function tableOptions(changes: Partial<TableOptionsState> = {}): TableOptionsState {
  return {
    keys: 'bytes',
    values: 'bytes',
    history: { durationMs: 86_400_000 },
    compaction: 'leveled',
    compression: 'lz4',
    statistics: [],
    ...changes,
  }
}

export interface FileShape {
  /** Makes the ULID of the name. */
  id: number
  base?: number
  level?: number
  from?: string
  to?: string
  min?: number
  max?: number
  commitFile?: boolean
  statistics?: boolean
}

export function fileMeta(shape: FileShape): FileMeta {
  return {
    id: `${shape.base ?? 0}-${token(shape.id)}`,
    bytes: 1000 + shape.id,
    level: shape.level ?? 0,
    smallest: Uint8Array.from(Buffer.from(shape.from ?? 'a')),
    largest: Uint8Array.from(Buffer.from(shape.to ?? 'z')),
    minTimestamp: shape.min ?? 1,
    maxTimestamp: shape.max ?? shape.min ?? 1,
    commitFile: shape.commitFile ?? (shape.level ?? 0) === 0,
    records: 10,
    deletes: 1,
    rawKeyBytes: 160,
    rawValueBytes: 1000,
    tailBytes: 300,
    statistics: shape.statistics
      ? Object.fromEntries([
          ['min', Uint8Array.of(1)],
          ['__proto__', Uint8Array.of(2, 3)],
        ])
      : {},
  }
}

export function newEntry(
  version: number,
  payload: Uint8Array | string = `entry ${version}`,
  mark = 0,
): NewLogEntry {
  return {
    version,
    timestamp: 1_700_000_000_000_000 + version * 10,
    token: token(version * 1000 + mark),
    payload: typeof payload === 'string' ? Uint8Array.from(Buffer.from(payload)) : payload,
  }
}
