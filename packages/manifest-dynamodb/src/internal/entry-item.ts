import { crc32, utf8Encode } from '@firn/bytes'
import { type LogEntry, logPrefix, type NewLogEntry } from '@firn/commit-log'
import { CorruptionError, FormatVersionError, isUlid } from '@firn/env'
import type { Item } from './item-size.js'
import type { ItemKey } from './item-table.js'

// The layout is in FORMAT.md, "Entry". Names and meanings never change.

export const ENTRY_FORMAT = 1

/** The partition of a database's log. */
function logPartition(incarnation: string): string {
  return logPrefix(incarnation).slice(0, -1)
}

export function entryKey(incarnation: string, version: number): ItemKey {
  return { id: { S: logPartition(incarnation) }, version: { N: String(version) } }
}

export function encodeEntryItem(incarnation: string, entry: NewLogEntry): Item {
  const { version, timestamp, token, payload } = entry
  const crc = headerChecksum(incarnation, entry)
  return {
    ...entryKey(incarnation, version),
    format: { N: String(ENTRY_FORMAT) },
    timestamp: { N: String(timestamp) },
    token: { S: token },
    crc: { N: String(crc) },
    payload: { B: payload },
    payloadCrc: { N: String(crc32(payload, crc)) },
  }
}

/** Decodes an item of this database as an entry. The payload is a view of the item's. */
export function decodeEntryItem(incarnation: string, item: Item): LogEntry {
  const version = numberOf(item, 'version')
  const what = `entry ${version} of log ${incarnation}`
  const format = numberOf(item, 'format')
  const timestamp = numberOf(item, 'timestamp')
  const token = item['token']?.S ?? ''
  // A hostile text may have no UTF-8 form, and then no checksum.
  const crc = isUlid(token)
    ? headerChecksum(incarnation, { version, timestamp, token })
    : Number.NaN
  const isOurs = numberOf(item, 'crc') === crc
  // The checksum covers the format. If it is right for this format, the number itself is damaged.
  if (format > ENTRY_FORMAT && !isOurs) {
    throw new FormatVersionError(
      `${what}: format ${format}, this release knows ${ENTRY_FORMAT}; open the database with a newer release`,
    )
  }
  if (
    format !== ENTRY_FORMAT ||
    item['id']?.S !== logPartition(incarnation) ||
    !(version > 0 && timestamp > 0) ||
    !isOurs
  ) {
    throw new CorruptionError(`${what}: the item is damaged, or of another key`)
  }
  const payload = item['payload']?.B
  if (isTombstone(item)) {
    return { version, timestamp, token, payload: undefined }
  }
  if (payload === undefined || crc32(payload, crc) !== numberOf(item, 'payloadCrc')) {
    throw new CorruptionError(`${what}: the payload is damaged`)
  }
  return { version, timestamp, token, payload }
}

/** Whether an entry was truncated: one update removes both attributes. */
export function isTombstone(item: Item): boolean {
  return item['payload'] === undefined && item['payloadCrc'] === undefined
}

function headerChecksum(
  incarnation: string,
  { version, timestamp, token }: { version: number; timestamp: number; token: string },
): number {
  const text = `${logPartition(incarnation)}/${version}/${ENTRY_FORMAT}/${timestamp}/${token}`
  return crc32(utf8Encode(text))
}

/** Reads a safe integer from 0 on; NaN if the attribute isn't one. */
export function numberOf(item: Item, name: string): number {
  const digits = item[name]?.N
  if (digits === undefined || !/^\d{1,16}$/.test(digits)) return Number.NaN
  const value = Number(digits)
  return Number.isSafeInteger(value) ? value : Number.NaN
}
