import fs from 'node:fs'
import path from 'node:path'
import { fromHex, toHex } from '@firn/bytes'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { describe, expect, it } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import {
  applyEntry,
  decodeCheckpoint,
  decodeEdits,
  decodeRoot,
  type Edit,
  emptyState,
  encodeCheckpoint,
  encodeEdits,
  encodeRoot,
  leaseKey,
  logEntryKey,
  ObjectCommitLog,
  RecordsWriter,
  SpillingCommitLog,
} from '../src/index.js'
import { decodeLeaseRecord, encodeLeaseRecord } from '../src/internal/lease-codec.js'
import { describeEntries, readAll, segmentPaths } from './file-log.js'
import { collect, fileMeta, INCARNATION, newEntry, tableOptions } from './fixtures.js'
import { tempDirectory } from './temp-directory.js'

// Real bytes, annotated. A change to these files is a change to the format. To write them anew:
// `npx vitest run golden -u` in this package.

const GOLDEN = path.join(import.meta.dirname, 'golden')

/** Names of byte ranges, in order; the last one takes the rest. */
type Layout = readonly (readonly [name: string, bytes: number])[]

/** `name  hex` lines, one per field, longer ones folded. */
function annotate(bytes: Uint8Array, layout: Layout): string {
  const lines: string[] = []
  let at = 0
  for (const [name, length] of [...layout, ['rest', bytes.length] as const]) {
    const hex = toHex(bytes.subarray(at, at + length))
    at = Math.min(bytes.length, at + length)
    for (const [i, part] of (hex.match(/.{1,64}/g) ?? []).entries()) {
      lines.push(`${(i === 0 ? name : '').padEnd(18)}${part}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** The bytes of an annotated file: whatever stands in its second column. */
function bytesOf(file: string): Uint8Array {
  const text = fs.readFileSync(path.join(GOLDEN, file), 'utf8')
  return fromHex(
    text
      .split('\n')
      .map((line) => line.slice(18))
      .join(''),
  )
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

const RECORDS = (() => {
  const writer = new RecordsWriter()
  writer.add(1, Uint8Array.of(0xaa, 0xbb), Uint8Array.of(1, 2, 3))
  writer.add(300, Uint8Array.of(0xcc), undefined)
  writer.add(1, new Uint8Array(0), Uint8Array.of(4), 2)
  return decodeEdits(writer.take())[0] as Edit
})()

const EDITS: readonly Edit[] = [
  { type: 'create-database', incarnation: INCARNATION },
  RECORDS,
  { type: 'create-table', id: 1, name: 'users', options: tableOptions() },
  {
    type: 'alter-table',
    id: 1,
    options: tableOptions({
      history: { versions: 3 },
      ttlMs: 60_000,
      mergeOperator: 'sum',
      statistics: ['age'],
    }),
  },
  { type: 'drop-table', id: 300 },
  { type: 'add-files', files: [fileMeta({ id: 1, base: 3, statistics: true })] },
  { type: 'flush', from: 1, through: 3, files: [] },
  {
    type: 'compact',
    removed: [fileMeta({ id: 1 }).id],
    added: [{ table: 1, file: fileMeta({ id: 2, level: 1 }) }],
    floors: [{ table: 1, timestamp: 77 }],
  },
  { type: 'gc-floor', version: 9 },
  { type: 'pin', pin: { name: 'monday', version: 3, timestamp: 1000, expiresAt: 2000 } },
  { type: 'unpin', name: 'monday' },
  { type: 'checkpoint', version: 4, key: 'checkpoints/x/y' },
]

describe('golden', () => {
  it('edits', async () => {
    const text = EDITS.map((edit) => {
      const payload = encodeEdits([edit])
      return `${edit.type}\n${annotate(payload, [
        ['format', 1],
        ['type', 1],
        ['length', 4],
        ['body', payload.length],
      ])}`
    }).join('\n')
    await expect(text).toMatchFileSnapshot('golden/edits.txt')
    const blocks = fs.readFileSync(path.join(GOLDEN, 'edits.txt'), 'utf8').split('\n\n')
    for (const [i, block] of blocks.entries()) {
      const hex = block
        .split('\n')
        .slice(1)
        .map((line) => line.slice(18))
        .join('')
      expect(decodeEdits(fromHex(hex))).toEqual([EDITS[i]])
    }
  })

  it('segment', async () => {
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

  it('tombstones', async () => {
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

  it('entry objects', async () => {
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

  it('spilled payload', async () => {
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

  it('checkpoint', async () => {
    let state = emptyState()
    for (const edits of [
      [EDITS[0], { type: 'create-table', id: 1, name: 'users', options: tableOptions() }],
      [{ type: 'add-files', files: [fileMeta({ id: 1 })] }],
      [{ type: 'flush', from: 0, through: 2, files: [] }],
      [EDITS[7] && { ...EDITS[7], floors: [] }],
      [{ type: 'pin', pin: { name: 'monday', version: 4, timestamp: newEntry(4).timestamp } }],
      [{ type: 'checkpoint', version: 4, key: 'checkpoints/x/y' }],
    ] as Edit[][]) {
      state = applyEntry(state, newEntry(state.version + 1, encodeEdits(edits)))
    }
    const bytes = encodeCheckpoint(state)
    const text = annotate(bytes, [
      ['magic', 8],
      ['format', 2],
      ['zero', 2],
      ['incarnation', 16],
      ['body', bytes.length - 32],
      ['checksum', 4],
    ])
    await expect(text).toMatchFileSnapshot('golden/checkpoint.txt')
    expect(decodeCheckpoint(bytesOf('checkpoint.txt'))).toEqual(state)
  })

  it('root', async () => {
    const root = { incarnation: INCARNATION, log: 'dynamodb:firn' }
    await expect(new TextDecoder().decode(encodeRoot(root))).toMatchFileSnapshot('golden/root.json')
    expect(decodeRoot(fs.readFileSync(path.join(GOLDEN, 'root.json')))).toEqual(root)
  })
  it('lease', async () => {
    const record = { epoch: 3, holder: INCARNATION, renewals: 2, durationMs: 30_000 }
    const key = leaseKey(INCARNATION, 'flush')
    await expect(new TextDecoder().decode(encodeLeaseRecord(record, key))).toMatchFileSnapshot(
      'golden/lease.json',
    )
    const stored = fs.readFileSync(path.join(GOLDEN, 'lease.json'))
    expect(decodeLeaseRecord(stored, key)).toEqual(record)
  })
})
