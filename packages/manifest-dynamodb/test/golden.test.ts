import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { toHex } from '@firn/bytes'
import { expect, test } from 'vitest'
import { decodeEntryItem, encodeEntryItem } from '../src/internal/entry-item.js'
import { itemBytes } from '../src/internal/item-size.js'
import { decodeLeaseItem, encodeLeaseItem } from '../src/internal/lease-item.js'

const INCARNATION = '01JD3ZJ8GQW0000000000000FN'
const TOKEN = '01JD3ZK2Z80000000000000042'

/** An item, an attribute a line: name, type, value; binary ones in hexadecimal. */
function shown(item: Record<string, AttributeValue>): string {
  const lines = Object.entries(item).map(([name, value]) => {
    if (value.B !== undefined) return `${name} B ${toHex(value.B)}`
    return value.N === undefined ? `${name} S ${value.S}` : `${name} N ${value.N}`
  })
  return `${lines.join('\n')}\n# ${itemBytes(item)} bytes\n`
}

test('entry', async () => {
  const payload = new TextEncoder().encode('wren')
  const entry = { version: 42, timestamp: 1_732_000_000_000_042, token: TOKEN, payload }
  const item = encodeEntryItem(INCARNATION, entry)
  await expect(shown(item)).toMatchFileSnapshot('golden/entry.txt')
  expect(decodeEntryItem(INCARNATION, item)).toEqual(entry)

  const { payload: _, payloadCrc, ...tombstone } = item
  expect(payloadCrc).toBeDefined()
  await expect(shown(tombstone)).toMatchFileSnapshot('golden/entry-tombstone.txt')
  expect(decodeEntryItem(INCARNATION, tombstone)).toEqual({ ...entry, payload: undefined })
})

test('lease', async () => {
  const record = { epoch: 3, holder: TOKEN, renewals: 2, durationMs: 30_000 }
  const item = encodeLeaseItem(INCARNATION, 'flush', record)
  await expect(shown(item)).toMatchFileSnapshot('golden/lease.txt')
  expect(decodeLeaseItem(INCARNATION, 'flush', item)).toEqual(record)

  const released = { ...record, holder: undefined }
  const free = encodeLeaseItem(INCARNATION, 'flush', released)
  await expect(shown(free)).toMatchFileSnapshot('golden/lease-released.txt')
  expect(decodeLeaseItem(INCARNATION, 'flush', free)).toEqual(released)
})
