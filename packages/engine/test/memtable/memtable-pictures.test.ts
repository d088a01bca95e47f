import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import { expect, test } from 'vitest'
import type { MemtableCursorOptions } from '../../src/internal/memtable/memtable-cursor.js'
import { MemtablePartition } from '../../src/internal/memtable/memtable-partition.js'
import { memtablePicture } from '../support/pictures.js'

const utf8 = new TextEncoder()

/** A memtable into which records were written in this order. */
function memtable(records: string): MemtablePartition {
  const partition = new MemtablePartition(1)
  for (const record of records.split(' ')) {
    const [, key = '', timestamp, sign, value] = /^(.+)@(\d+)([=!])(.*)$/.exec(record) ?? []
    const [k, v] = [utf8.encode(key), utf8.encode(value)]
    const kind = sign === '!' ? KIND_DELETE : KIND_PUT
    partition.insert(Number(timestamp), kind, k, 0, k.length, v, 0, v.length)
  }
  return partition
}

const written = 'c@1=x a@1=x b@2=x a@3=y b@4! a@5=z'

test('a flush sees all versions by key, the newest first', () => {
  expect(memtablePicture(memtable(written))).toBe('a@5=z a@3=y a@1=x b@4! b@2=x c@1=x')
})

test('of a key that one commit writes twice, what it wrote last counts', () => {
  expect(memtablePicture(memtable('a@1=x a@2=y a@2=z b@2=x b@2!'))).toBe('a@2=z a@1=x b@2!')
})

test.each<[picture: string, options: MemtableCursorOptions]>([
  ['a@1=x c@1=x', { timestamp: 1 }],
  ['a@3=y b@2=x c@1=x', { timestamp: 3 }],
  ['a@5=z b@4! c@1=x', { timestamp: 9 }],
  ['c@1=x b@4! a@5=z', { timestamp: 9, reverse: true }],
  ['', { timestamp: 0 }],
])('a scan sees one version of each key: %s as of %j', (picture, options) => {
  expect(memtablePicture(memtable(written), options)).toBe(picture)
})

test('what was written after a timestamp can be copied, to be kept when the rest is in a file', () => {
  const rest = new MemtablePartition(1)
  memtable(written).copyAfter(2, rest)
  expect(memtablePicture(rest)).toBe('a@5=z a@3=y b@4!')
})
