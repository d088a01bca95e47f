import { ByteReader, ByteWriter } from '@firn/bytes'
import { ULID_BYTES, ulidFromBytes, ulidToBytes } from '@firn/env'
import type { LogEntry } from '../../commit-log.js'
import { isTimestamp } from '../entry-checks.js'

// Tombstones of consecutive versions: for each entry, the timestamp's increase as a varint (for the
// first, the whole timestamp) and the token. FORMAT.md, "Tombstones".

/** Most entries of one run, so that a reader never takes a whole segment for one of them. */
export const MAX_RUN_ENTRIES = 4096

export function encodeTombstones(entries: readonly LogEntry[]): Uint8Array {
  const out = new ByteWriter(8 + entries.length * (ULID_BYTES + 4))
  out.varint(entries.length)
  let previous = 0
  for (const { timestamp, token } of entries) {
    out.varint(timestamp - previous)
    out.bytes(ulidToBytes(token))
    previous = timestamp
  }
  return out.take()
}

/** Appends a run's tombstones to `entries`; the first one is of `version`. */
export function decodeTombstones(
  payload: Uint8Array,
  version: number,
  what: string,
  entries: LogEntry[],
): void {
  const reader = new ByteReader(payload, what)
  const count = reader.varint()
  if (count > MAX_RUN_ENTRIES) throw reader.corrupt(`a run of ${count} tombstones`)
  let timestamp = 0
  for (let i = 0; i < count; i++) {
    timestamp += reader.varint()
    if (!isTimestamp(timestamp)) throw reader.corrupt('the time of a tombstone is out of range')
    const token = ulidFromBytes(reader.take(ULID_BYTES))
    entries.push({ version: version + i, timestamp, token, payload: undefined })
  }
  reader.expectEnd()
}
