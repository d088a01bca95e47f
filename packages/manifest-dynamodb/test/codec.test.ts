import { ulidFromBytes } from '@firn/env'
import fc from 'fast-check'
import { expect, it } from 'vitest'
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

it('an entry is what it was before it became an item', () => {
  fc.assert(
    fc.property(ulids, entries, (incarnation, entry) => {
      expect(decodeEntryItem(incarnation, encodeEntryItem(incarnation, entry))).toEqual(entry)
    }),
  )
})

it('an item in which something of another entry stands is none', () => {
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

it('a lease is what it was before it became an item, and belongs to its name', () => {
  fc.assert(
    fc.property(ulids, records, (incarnation, record) => {
      const item = encodeLeaseItem(incarnation, 'flush', record)
      expect(decodeLeaseItem(incarnation, 'flush', item)).toEqual(record)
      expect(() => decodeLeaseItem(incarnation, 'other', item)).toThrow(/damaged/)
    }),
  )
})
