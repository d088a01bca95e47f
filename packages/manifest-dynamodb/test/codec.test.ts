import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CorruptionError, FormatVersionError, ulidFromBytes } from '@firn/env'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DynamoDbCommitLog, DynamoDbLeases } from '../src/index.js'
import { decodeEntryItem, encodeEntryItem } from '../src/internal/entry-item.js'
import { decodeLeaseItem, encodeLeaseItem } from '../src/internal/lease-item.js'

const ulids = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ulidFromBytes)
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const entries = fc.record({
  version: positive,
  timestamp: positive,
  token: ulids,
  payload: fc.uint8Array(),
})
const records = fc.record({
  epoch: positive,
  holder: fc.option(ulids, { nil: undefined }),
  renewals: fc.nat(),
  durationMs: positive,
})

test('an entry is what it was before it became an item', () => {
  fc.assert(
    fc.property(ulids, entries, (incarnation, entry) => {
      expect(decodeEntryItem(incarnation, encodeEntryItem(incarnation, entry))).toEqual(entry)
    }),
  )
})

test('an item in which something of another entry stands is none', () => {
  fc.assert(
    fc.property(ulids, entries, entries, (incarnation, one, other) => {
      const item = encodeEntryItem(incarnation, one)
      for (const [name, value] of Object.entries(encodeEntryItem(incarnation, other))) {
        const mixed = { ...item, [name]: value }
        const same = JSON.stringify(mixed) === JSON.stringify(item)
        if (!same) expect(() => decodeEntryItem(incarnation, mixed)).toThrow(/damaged/)
      }
    }),
  )
})

test('40: an entry whose token has no UTF-8 form is damaged, as any other', () => {
  const entry = { version: 1, timestamp: 1, token: ulidFromBytes(new Uint8Array(16)) }
  const item = encodeEntryItem(entry.token, { ...entry, payload: new Uint8Array(0) })
  const hostile = { ...item, token: { S: '\ud800' } }
  expect(() => decodeEntryItem(entry.token, hostile)).toThrow(CorruptionError)
})

test('26: a format that was damaged is damage; only what is of another one is of the future', () => {
  const incarnation = ulidFromBytes(new Uint8Array(16))
  const entry = { version: 1, timestamp: 1, token: incarnation, payload: new Uint8Array(0) }
  const item = encodeEntryItem(incarnation, entry)
  const lease = { epoch: 1, holder: incarnation, renewals: 0, durationMs: 1 }
  const leaseItem = encodeLeaseItem(incarnation, 'name', lease)
  const format = { N: '9' }
  expect(() => decodeEntryItem(incarnation, { ...item, format })).toThrow(CorruptionError)
  expect(() => decodeLeaseItem(incarnation, 'name', { ...leaseItem, format })).toThrow(
    CorruptionError,
  )
  // A later format has its own checksum.
  const crc = { N: '1' }
  expect(() => decodeEntryItem(incarnation, { ...item, format, crc })).toThrow(FormatVersionError)
  expect(() => decodeLeaseItem(incarnation, 'name', { ...leaseItem, format, crc })).toThrow(
    FormatVersionError,
  )
})

test('a lease is what it was before it became an item, and belongs to its name', () => {
  fc.assert(
    fc.property(ulids, records, (incarnation, record) => {
      const item = encodeLeaseItem(incarnation, 'flush', record)
      expect(decodeLeaseItem(incarnation, 'flush', item)).toEqual(record)
      expect(() => decodeLeaseItem(incarnation, 'other', item)).toThrow(/damaged/)
    }),
  )
})

test('logs and leases of a name that isn’t an id say how to make one', () => {
  const options = { client: {} as DynamoDBClient, tableName: 't', incarnation: 'my-database' }
  const advice = /incarnation is a ULID.*ulid\(systemEnv\) of @firn\/env/
  expect(() => new DynamoDbCommitLog(options)).toThrow(advice)
  expect(() => new DynamoDbLeases(options)).toThrow(advice)
})
