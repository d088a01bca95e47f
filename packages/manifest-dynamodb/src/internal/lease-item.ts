import { crc32, utf8Encode } from '@firn/bytes'
import { type LeaseRecord, leaseKey } from '@firn/commit-log'
import { CorruptionError, FormatVersionError, isUlid } from '@firn/env'
import { numberOf } from './entry-item.js'
import type { Item } from './item-size.js'
import type { ItemKey } from './item-table.js'

// The layout is in FORMAT.md, "Lease". Names and meanings never change.

const FORMAT = 1

/** Key of a lease. It has its own partition, so renewals take no capacity from the log. */
export function leaseItemKey(incarnation: string, name: string): ItemKey {
  return { id: { S: leaseKey(incarnation, name) }, version: { N: '0' } }
}

export function encodeLeaseItem(incarnation: string, name: string, record: LeaseRecord): Item {
  const { epoch, holder, renewals, durationMs } = record
  return {
    ...leaseItemKey(incarnation, name),
    format: { N: String(FORMAT) },
    epoch: { N: String(epoch) },
    ...(holder === undefined ? {} : { holder: { S: holder } }),
    renewals: { N: String(renewals) },
    durationMs: { N: String(durationMs) },
    crc: { N: String(checksum(incarnation, name, record)) },
  }
}

export function decodeLeaseItem(incarnation: string, name: string, item: Item): LeaseRecord {
  const format = numberOf(item, 'format')
  const record = {
    epoch: numberOf(item, 'epoch'),
    holder: item['holder']?.S,
    renewals: numberOf(item, 'renewals'),
    durationMs: numberOf(item, 'durationMs'),
  }
  const { epoch, holder, renewals, durationMs } = record
  // A hostile text may have no UTF-8 form, and then no checksum.
  const isOurs =
    (holder === undefined || isUlid(holder)) &&
    numberOf(item, 'crc') === checksum(incarnation, name, record)
  // The checksum covers the format. If it is right for this format, the number itself is damaged.
  if (format > FORMAT && !isOurs) {
    throw new FormatVersionError(
      `lease '${name}' of ${incarnation}: format ${format}, this release knows ${FORMAT}; use a newer release`,
    )
  }
  const holds =
    format === FORMAT &&
    epoch > 0 &&
    renewals >= 0 &&
    durationMs > 0 &&
    item['id']?.S === leaseKey(incarnation, name) &&
    isOurs
  if (holds) return record
  throw new CorruptionError(
    `lease '${name}' of ${incarnation}: the item is damaged; delete it when no process holds the lease`,
  )
}

function checksum(incarnation: string, name: string, record: LeaseRecord): number {
  const { epoch, holder, renewals, durationMs } = record
  const id = leaseKey(incarnation, name)
  return crc32(utf8Encode(`${id}/0/${FORMAT}/${epoch}/${holder ?? ''}/${renewals}/${durationMs}`))
}
