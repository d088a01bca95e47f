import { join } from 'node:path'
import { type Env, ulid } from '@firn/env'
import type { FileSystem } from '@firn/vfs'
import type { LogEntry } from '../../commit-log.js'
import {
  encodeSegmentHeader,
  FORM_TOMBSTONES,
  FRAME_HEADER_BYTES,
  FRAME_TOMBSTONES,
  putFrameHeader,
  SEGMENT_HEADER_BYTES,
  segmentSeed,
} from './segment-format.js'
import { segmentName } from './segment-name.js'
import { encodeTombstones, MAX_RUN_ENTRIES } from './tombstone-run.js'

/** Encodes a segment that keeps only versions, timestamps and tokens of these entries. */
function encodeTombstoneSegment(id: string, entries: readonly LogEntry[]): Uint8Array[] {
  const first = entries[0] as LogEntry
  const seed = segmentSeed(id)
  const buffers = [encodeSegmentHeader(id, first.version, FORM_TOMBSTONES)]
  let offset = SEGMENT_HEADER_BYTES
  for (let i = 0; i < entries.length; i += MAX_RUN_ENTRIES) {
    const run = entries.slice(i, i + MAX_RUN_ENTRIES)
    const payload = encodeTombstones(run)
    const header = new Uint8Array(FRAME_HEADER_BYTES)
    const frame = {
      kind: FRAME_TOMBSTONES,
      version: (run[0] as LogEntry).version,
      timestamp: (run.at(-1) as LogEntry).timestamp,
      token: undefined,
      durableThrough: (entries.at(-1) as LogEntry).version,
    }
    putFrameHeader(header, 0, seed, offset, frame, payload)
    buffers.push(header, payload)
    offset += FRAME_HEADER_BYTES + payload.length
  }
  return buffers
}

/** Replaces a segment by the tombstones of its entries, atomically and durably. */
export async function replaceByTombstones(
  fs: FileSystem,
  directory: string,
  entries: readonly LogEntry[],
  env: Env,
): Promise<void> {
  const path = join(directory, segmentName((entries[0] as LogEntry).version))
  const temporary = `${path}.tmp`
  const file = fs.openSync(temporary, 'ensure')
  try {
    await file.truncate(0)
    await file.write(encodeTombstoneSegment(ulid(env), entries), 0, { durable: false })
    await file.syncData()
  } finally {
    file.closeSync()
  }
  fs.renameSync(temporary, path)
  await fs.syncDirectory(directory)
}
