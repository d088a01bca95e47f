import { compareBytes } from '@firn/bytes'
import { END, POSITIONED, prefixedKey } from '@firn/mvcc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ArenaPool } from '../../src/internal/memtable/arena-pool.js'
import { MemtableCursor } from '../../src/internal/memtable/memtable-cursor.js'
import { MemtablePartition } from '../../src/internal/memtable/memtable-partition.js'

const TABLE = 7

const BEFORE = new Uint8Array(9).fill(0xbb)

interface Version {
  key: Uint8Array
  timestamp: number
  value: string
}

// Few keys, some sharing long prefixes, so that versions pile up and ties go past eight bytes.
const keys = fc.oneof(
  fc.uint8Array({ maxLength: 3 }),
  fc
    .uint8Array({ maxLength: 2 })
    .map((tail) => Uint8Array.of(...Buffer.from('shared prefix'), ...tail)),
)
const writes = fc.array(fc.record({ key: keys, sameCommit: fc.boolean() }), { maxLength: 120 })

function fill(input: { key: Uint8Array; sameCommit: boolean }[]): {
  memtable: MemtablePartition
  versions: Version[]
} {
  // Memory that another memtable has used before.
  const memory = new ArenaPool(400, input.length % 2 === 0)
  const before = new MemtablePartition(TABLE, 8, memory)
  for (let i = 0; i < 40; i++) before.insert(1, 1, Uint8Array.of(i, i), 0, 2, BEFORE, 0, 9)
  before.release()
  const memtable = new MemtablePartition(TABLE, 8, memory)
  const versions: Version[] = []
  let timestamp = 1
  for (const [i, { key, sameCommit }] of input.entries()) {
    if (!sameCommit) timestamp++
    const value = `value ${i}`
    const bytes = new TextEncoder().encode(value)
    if (i % 3 === 0) {
      memtable.insert(timestamp, 1, key, 0, key.length, bytes, 0, bytes.length)
    } else {
      // As a payload has it: a header of four bytes, key, value; something before and after.
      const record = Uint8Array.of(9, 9, 9, TABLE, 1, key.length, bytes.length, ...key, ...bytes, 9)
      const keyStart = memtable.hold(record) + 7
      const keyEnd = keyStart + key.length
      memtable.insertHeld(timestamp, 1, keyStart, keyEnd, keyEnd, keyEnd + bytes.length)
    }
    const replaced = versions.findIndex(
      (v) => v.timestamp === timestamp && compareBytes(v.key, key) === 0,
    )
    if (replaced >= 0) versions.splice(replaced, 1)
    versions.push({ key, timestamp, value })
    // Sorting at odd moments makes many runs.
    if (i % 7 === 3) memtable.sortedRuns()
  }
  versions.sort((a, b) => compareBytes(a.key, b.key) || b.timestamp - a.timestamp)
  return { memtable, versions }
}

function rows(cursor: MemtableCursor, status = cursor.first()): Version[] {
  const found: Version[] = []
  for (; status === POSITIONED; status = cursor.next()) {
    found.push({
      key: cursor.keyBytes.slice(cursor.keyStart + 4, cursor.keyEnd),
      timestamp: cursor.timestamp,
      value: new TextDecoder().decode(cursor.valueBytes.slice(cursor.valueStart, cursor.valueEnd)),
    })
  }
  expect(status).toBe(END)
  return found
}

function visibleAt(versions: Version[], timestamp: number): Version[] {
  return versions.filter(
    (v, i) =>
      v.timestamp <= timestamp &&
      !versions.some(
        (w, j) => j < i && w.timestamp <= timestamp && compareBytes(w.key, v.key) === 0,
      ),
  )
}

describe('MemtablePartition', () => {
  test('a flush sees every version in internal order', () => {
    fc.assert(
      fc.property(writes, (input) => {
        const { memtable, versions } = fill(input)
        expect(rows(new MemtableCursor(memtable))).toEqual(versions)
      }),
    )
  })

  test('a scan at a timestamp sees the newest version of each key, in both directions', () => {
    fc.assert(
      fc.property(writes, fc.nat(60), fc.boolean(), (input, timestamp, reverse) => {
        const { memtable, versions } = fill(input)
        const expected = visibleAt(versions, timestamp)
        if (reverse) expected.reverse()
        expect(rows(new MemtableCursor(memtable, { timestamp, reverse }))).toEqual(expected)
      }),
    )
  })

  test('a seek stands at the first key in its direction', () => {
    fc.assert(
      fc.property(writes, keys, fc.boolean(), fc.boolean(), (input, key, reverse, inclusive) => {
        const { memtable, versions } = fill(input)
        const all = visibleAt(versions, 1000)
        const expected = (reverse ? all.reverse() : all).filter((v) => {
          const order = compareBytes(v.key, key) * (reverse ? -1 : 1)
          return order > 0 || (inclusive && order === 0)
        })
        const cursor = new MemtableCursor(memtable, { timestamp: 1000, reverse })
        const target = prefixedKey(TABLE, key)
        expect(rows(cursor, cursor.seek(target, 0, target.length, inclusive))).toEqual(expected)
      }),
    )
  })

  test('find gives the newest version at or before a timestamp', () => {
    fc.assert(
      fc.property(writes, keys, fc.nat(60), (input, key, timestamp) => {
        const { memtable, versions } = fill(input)
        const expected = versions.find(
          (v) => v.timestamp <= timestamp && compareBytes(v.key, key) === 0,
        )
        const version = memtable.find(key, 0, key.length, timestamp)
        expect(version < 0 ? undefined : memtable.timestamps[version]).toBe(expected?.timestamp)
      }),
    )
  })

  test('a cursor does not see what is written after it was made', () => {
    const { memtable } = fill([{ key: Uint8Array.of(5), sameCommit: false }])
    const cursor = new MemtableCursor(memtable, { timestamp: 2 })
    for (let i = 0; i < 200; i++) {
      memtable.insert(3, 1, Uint8Array.of(i), 0, 1, new Uint8Array(50), 0, 50)
    }
    expect(rows(cursor)).toEqual([{ key: Uint8Array.of(5), timestamp: 2, value: 'value 0' }])
  })

  test('its parts, in another thread or in this one, are all that a cursor needs', () => {
    fc.assert(
      fc.property(writes, (input) => {
        const { memtable, versions } = fill(input)
        const elsewhere = MemtablePartition.fromParts(structuredClone(memtable.parts()))
        expect(rows(new MemtableCursor(elsewhere))).toEqual(versions)
      }),
    )
  })

  test('a lookup after the release throws', () => {
    const { memtable } = fill([{ key: Uint8Array.of(5), sameCommit: false }])
    memtable.release()
    expect(() => memtable.find(Uint8Array.of(5), 0, 1, 9)).toThrow('after its release')
  })
})

describe('ArenaPool', () => {
  test('gives what was given back to whom it is enough for', () => {
    const memory = new ArenaPool(1000, false)
    const first = memory.take(1000, 10)
    first.slots.fill(7)
    memory.give(first)
    expect(memory.take(1001, 10)).not.toBe(first)
    expect(memory.take(1000, 10)).toBe(first)
    expect(first.slots.every((slot) => slot === 0)).toBe(true)
    expect(memory.take(1000, 10)).not.toBe(first)
  })

  test('shares what another thread is to read', () => {
    const { bytes, timestamps } = new ArenaPool(1000, true).take(1000, 10)
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(timestamps.buffer).toBeInstanceOf(SharedArrayBuffer)
  })
})
