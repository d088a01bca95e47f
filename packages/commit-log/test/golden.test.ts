import fs from 'node:fs'
import path from 'node:path'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { annotate, annotatedBytes, type Layout, tempDirectory } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import { leaseKey, logEntryKey, ObjectCommitLog, SpillingCommitLog } from '../src/index.js'
import { decodeLeaseRecord, encodeLeaseRecord } from '../src/internal/lease-codec.js'
import { describeEntries, readAll, segmentPaths } from './file-log.js'
import { collect, INCARNATION, newEntry } from './fixtures.js'

// Real bytes, annotated. A change to these files is a change to the format. To write them anew:
// `npx vitest run golden -u` in this package.

const GOLDEN = path.join(import.meta.dirname, 'golden')

/** The bytes of an annotated file. */
function bytesOf(file: string): Uint8Array {
  return annotatedBytes(fs.readFileSync(path.join(GOLDEN, file), 'utf8'))
}

const SEGMENT: Layout = [
  ['magic', 8],
  ['format', 2],
  ['form', 2],
  ['zero', 4],
  ['segment id', 16],
  ['first version', 8],
  ['zero', 4],
  ['checksum', 4],
]
const frame = (payloadBytes: number): Layout => [
  ['payload length', 4],
  ['kind', 4],
  ['version', 8],
  ['timestamp', 8],
  ['token', 16],
  ['durable through', 8],
  ['payload checksum', 4],
  ['header checksum', 4],
  ['payload', payloadBytes],
]
const ENTRY: Layout = [
  ['magic', 8],
  ['format', 2],
  ['kind', 2],
  ['payload length', 4],
  ['version', 8],
  ['timestamp', 8],
  ['token', 16],
  ['payload checksum', 4],
  ['header checksum', 4],
]

describe('golden', () => {
  test('segment', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory, { env: new TestEnv() })
    await log.append(newEntry(1, 'one'))
    await Promise.all([log.append(newEntry(2, '')), log.append(newEntry(3, 'three'))])
    await log.close()
    const [segment] = segmentPaths(directory) as [string]
    const layout = [...SEGMENT, ...frame(3), ...frame(0), ...frame(5), ...frame(0)]
    const text = annotate(fs.readFileSync(segment), layout)
    await expect(text).toMatchFileSnapshot('golden/segment.txt')

    const copy = tempDirectory()
    fs.mkdirSync(path.join(copy, 'log'))
    fs.writeFileSync(path.join(copy, 'log', '00000000000000000001.log'), bytesOf('segment.txt'))
    const read = await FileCommitLog.open(copy, { mode: 'read' })
    expect(describeEntries(await readAll(read))).toEqual(
      describeEntries([newEntry(1, 'one'), newEntry(2, ''), newEntry(3, 'three')]),
    )
    await read.close()
  })

  test('tombstones', async () => {
    const directory = tempDirectory()
    const options = { env: new TestEnv(), segmentBytes: 4096 }
    const log = await FileCommitLog.open(directory, options)
    for (const version of [1, 2, 3]) await log.append(newEntry(version, new Uint8Array(1500)))
    await log.truncate(2)
    await log.close()
    const [segment] = segmentPaths(directory) as [string]
    const text = annotate(fs.readFileSync(segment), [...SEGMENT, ...frame(1000)])
    await expect(text).toMatchFileSnapshot('golden/tombstones.txt')

    fs.writeFileSync(segment, bytesOf('tombstones.txt'))
    const read = await FileCommitLog.open(directory, { mode: 'read' })
    expect((await readAll(read)).map(({ payload }) => payload?.length)).toEqual([
      undefined,
      undefined,
      1500,
    ])
    await read.close()
  })

  test('entry objects', async () => {
    const store = new MemoryObjectStore()
    const log = new ObjectCommitLog(store, INCARNATION)
    await log.append(newEntry(1, 'one'))
    await log.append(newEntry(2, 'two'))
    await log.truncate(1)
    for (const [version, file] of [
      [1, 'entry-tombstone.txt'],
      [2, 'entry.txt'],
    ] as const) {
      const key = logEntryKey(INCARNATION, version)
      const text = annotate((await store.get(key)).bytes, [...ENTRY, ['payload', 3]])
      await expect(text).toMatchFileSnapshot(`golden/${file}`)
      await store.put(key, bytesOf(file))
    }
    const read = await collect(new ObjectCommitLog(store, INCARNATION).readAfter(0))
    expect(describeEntries(read)).toEqual(
      describeEntries([{ ...newEntry(1), payload: undefined }, newEntry(2, 'two')]),
    )
  })

  test('spilled payload', async () => {
    const store = new MemoryObjectStore()
    const log = new ObjectCommitLog(store, INCARNATION)
    const spilling = new SpillingCommitLog(log, store, INCARNATION, { itemLimitBytes: 17 })
    await spilling.append(newEntry(1, 'longer than seventeen bytes'))
    const [entry] = await collect(log.readAfter(0))
    const layout: Layout = [
      ['format', 1],
      ['length', 8],
      ['crc32', 4],
      ['hash', 4],
    ]
    const text = annotate(entry?.payload ?? new Uint8Array(0), layout)
    await expect(text).toMatchFileSnapshot('golden/spilled.txt')
  })
  test('lease', async () => {
    const record = { epoch: 3, holder: INCARNATION, renewals: 2, durationMs: 30_000 }
    const key = leaseKey(INCARNATION, 'flush')
    await expect(new TextDecoder().decode(encodeLeaseRecord(record, key))).toMatchFileSnapshot(
      'golden/lease.json',
    )
    const stored = fs.readFileSync(path.join(GOLDEN, 'lease.json'))
    expect(decodeLeaseRecord(stored, key)).toEqual(record)
  })
})
