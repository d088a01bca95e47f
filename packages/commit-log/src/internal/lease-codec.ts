import { crc32, utf8Decode, utf8Encode } from '@firn/bytes'
import { CorruptionError, FormatVersionError, isUlid } from '@firn/env'
import type { LeaseRecord } from '../base-leases.js'

// The format of a lease stored as an object: FORMAT.md, "Lease".

const FORMAT = 1
// A record has about 150 bytes; much longer content isn't one.
const MAX_BYTES = 4096

/** Encodes a lease record; its checksum is valid for this key only. */
export function encodeLeaseRecord(record: LeaseRecord, key: string): Uint8Array {
  const { epoch, renewals, durationMs } = record
  const holder = record.holder ?? null
  const fields = { format: FORMAT, epoch, holder, renewals, durationMs }
  const checksum = crc32(utf8Encode(JSON.stringify(fields)), crc32(utf8Encode(key)))
  return utf8Encode(`${JSON.stringify({ ...fields, checksum })}\n`)
}

export function decodeLeaseRecord(bytes: Uint8Array, key: string): LeaseRecord {
  const value = (bytes.length > MAX_BYTES ? undefined : parse(bytes)) as
    | { [name in keyof LeaseRecord | 'format']?: unknown }
    | null
    | undefined
  const { format, epoch, holder, renewals, durationMs } = value ?? {}
  if (typeof format === 'number' && Number.isInteger(format) && format > FORMAT) {
    throw new FormatVersionError(
      `${key}: lease format ${format}, this release knows ${FORMAT}; use a newer one`,
    )
  }
  if (
    isCount(epoch, 1) &&
    isCount(renewals, 0) &&
    isCount(durationMs, 1) &&
    (holder === null || (typeof holder === 'string' && isUlid(holder)))
  ) {
    const record = { epoch, holder: holder ?? undefined, renewals, durationMs }
    const expected = encodeLeaseRecord(record, key)
    if (expected.length === bytes.length && expected.every((byte, i) => bytes[i] === byte)) {
      return record
    }
  }
  throw new CorruptionError(`${key}: the lease is damaged; delete it once no process holds it`)
}

function isCount(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Decode(bytes))
  } catch {
    return undefined
  }
}
