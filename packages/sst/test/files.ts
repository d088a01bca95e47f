import { PENDING, POSITIONED } from '@firn/mvcc'
import {
  memorySource,
  type SstCursor,
  type SstSource,
  type SstSummary,
  SstWriter,
  type SstWriterOptions,
} from '../src/index.js'
import type { Row } from './sorted-array.js'

/** Writes rows to a file in memory. */
export function write(
  rows: Iterable<Row>,
  options: Partial<SstWriterOptions> = {},
): { file: Uint8Array; summary: SstSummary } {
  const writer = new SstWriter({
    fileId: 'test',
    compression: 'lz4',
    timestamps: 'record',
    ...options,
  })
  const chunks: Uint8Array[] = []
  for (const { key, value, timestamp, kind } of rows) {
    writer.add(key, value, { timestamp, kind })
    chunks.push(...writer.take())
  }
  const summary = writer.finish()
  chunks.push(...writer.take())
  const file = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    file.set(chunk, at)
    at += chunk.length
  }
  return { file, summary }
}

/** A copy of the cursor's record. */
function current(cursor: SstCursor): Row {
  return {
    key: cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd),
    timestamp: cursor.timestamp,
    kind: cursor.kind,
    value: cursor.valueBytes.slice(cursor.valueStart, cursor.valueEnd),
  }
}

/** All rows after a move. */
export async function drain(cursor: SstCursor, status: number, limit = Infinity): Promise<Row[]> {
  const rows: Row[] = []
  let state = status
  for (;;) {
    if (state === PENDING) state = await cursor.load()
    if (state !== POSITIONED) return rows
    rows.push(current(cursor))
    if (rows.length >= limit) return rows
    state = cursor.next()
  }
}

/** A source that counts its requests. */
export class CountingSource implements SstSource {
  readonly reads: [offset: number, length: number, fresh: boolean][] = []
  tails = 0
  closed = 0
  readonly #source: SstSource

  constructor(file: Uint8Array) {
    this.#source = memorySource(file)
  }

  read(...[offset, length, options]: Parameters<SstSource['read']>): Promise<Uint8Array> {
    this.reads.push([offset, length, options?.fresh ?? false])
    return this.#source.read(offset, length, options)
  }

  readTail(...args: Parameters<SstSource['readTail']>): ReturnType<SstSource['readTail']> {
    this.tails++
    return this.#source.readTail(...args)
  }

  async close(): Promise<void> {
    this.closed++
  }
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
