import { ulidFromBytes } from '@firn/env'
import type { LogEntry, NewLogEntry } from '../src/index.js'

export const INCARNATION = '01JD3ZJ8GQW0000000000000FN'

/** A ULID that says which number it was made from. */
export function token(n: number): string {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(12, n)
  return ulidFromBytes(bytes)
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

export async function collect(entries: AsyncIterable<LogEntry>): Promise<LogEntry[]> {
  const all: LogEntry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

/** Lets everything happen that waits for nothing but a turn. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
