import { BlockCache } from '@firn/block-cache'
import { crc32 } from '@firn/bytes'
import { ABSENT, FOUND, NOT_RESIDENT, PENDING, POSITIONED } from '@firn/mvcc'
import { describe, expect, test } from 'vitest'
import { memorySource, SstLookup, SstReader } from '../src/index.js'
import { CountingSource, drain, text, write } from './files.js'
import type { Row } from './sorted-array.js'

const rows: Row[] = Array.from({ length: 5000 }, (_, i) => ({
  key: text(`key${String(i * 2).padStart(8, '0')}`),
  timestamp: 50,
  kind: 1,
  value: text(`value number ${i} `.repeat(3)),
}))
const small = write(rows.slice(0, 100)).file
const { file: large, summary } = write(rows, { blockBytes: 4096, filterBitsPerKey: 32 })

function lookupOf(key: string | Uint8Array, timestamp = 100): SstLookup {
  const bytes = typeof key === 'string' ? text(key) : key
  const lookup = new SstLookup()
  lookup.set(bytes, 0, bytes.length, timestamp)
  return lookup
}

describe('opening', () => {
  test('is one read where the tail fits the guess', async () => {
    const source = new CountingSource(small)
    await SstReader.open(source)
    expect([source.tails, source.reads]).toEqual([1, []])
  })

  test('is two reads where it does not, and one with the tail’s length from the summary', async () => {
    const source = new CountingSource(large)
    expect(summary.tailBytes).toBeGreaterThan(16 * 1024)
    await SstReader.open(source, { tailBytes: 4096 })
    expect([source.tails, source.reads.length]).toEqual([1, 1])
    expect(source.reads[0]).toEqual([large.length - summary.tailBytes, summary.tailBytes, false])
    await SstReader.open(source, { tailBytes: summary.tailBytes })
    expect([source.tails, source.reads.length]).toEqual([2, 1])
  })

  test('10, 26: refuses a file of another id or size', async () => {
    const open = (options: Parameters<typeof SstReader.open>[1]) =>
      SstReader.open(memorySource(small), options)
    await expect(open({ fileId: 'other' })).rejects.toThrow('SST other: the file there is test')
    await expect(open({ size: 5 })).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
    await open({ fileId: 'test', size: small.length })
  })

  test('37: refuses a format of the future, and tells it from damage', async () => {
    const future = small.slice()
    const view = new DataView(future.buffer)
    view.setUint32(future.length - 16, 2, true)
    const open = () => SstReader.open(memorySource(future))
    await expect(open()).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
    const seal = () => {
      const footer = future.subarray(future.length - 48, future.length - 12)
      view.setUint32(future.length - 12, crc32(footer), true)
    }
    seal()
    await expect(open()).rejects.toMatchObject({
      code: 'FIRN_FORMAT_VERSION',
      message: 'SST: SST format version 2, this release reads 1; use a newer release',
    })
    // Known version, unknown critical feature; an optional one is ignored.
    view.setUint32(future.length - 16, 1, true)
    view.setUint32(future.length - 28, 4, true)
    seal()
    await expect(open()).rejects.toMatchObject({ code: 'FIRN_FORMAT_VERSION' })
    view.setUint32(future.length - 28, 0, true)
    view.setUint32(future.length - 24, 4, true)
    seal()
    expect((await open()).records).toBe(100)
  })

  test('refuses what is no SST', async () => {
    for (const bytes of [new Uint8Array(0), text('hello'), new Uint8Array(5000)]) {
      await expect(SstReader.open(memorySource(bytes))).rejects.toMatchObject({
        code: 'FIRN_CORRUPTION',
      })
    }
  })

  test('passes a source’s own error on', async () => {
    const error = new Error('no network')
    const source = { read: () => Promise.reject(error), readTail: () => Promise.reject(error) }
    await expect(SstReader.open(source)).rejects.toBe(error)
  })

  test('42: ends with the reason of a signal', async () => {
    const signal = AbortSignal.abort('enough')
    await expect(SstReader.open(memorySource(small), { signal })).rejects.toBe('enough')
  })
})

describe('lookups', () => {
  test('cost one read when cold, none when warm', async () => {
    const source = new CountingSource(large)
    const reader = await SstReader.open(source, { cache: new BlockCache({ bytes: 1 << 20 }) })
    const lookup = lookupOf('key00001000')
    expect(reader.find(lookup)).toBe(NOT_RESIDENT)
    await reader.load(lookup)
    expect(source.reads.length).toBe(1)
    expect(reader.find(lookup)).toBe(FOUND)
    expect(lookup.kind).toBe(1)
    expect(lookup.foundTimestamp).toBe(50)
    // A neighbour in the same block, and an absent key.
    expect(reader.find(lookupOf('key00001002'))).toBe(FOUND)
    expect(reader.find(lookupOf('key00001003'))).toBe(ABSENT)
    expect(source.reads.length).toBe(1)
  })

  test('cost two reads when cold where the index is partitioned', async () => {
    const { file } = write(rows, { indexPartitionBytes: 32 })
    const source = new CountingSource(file)
    const reader = await SstReader.open(source)
    const lookup = lookupOf('key00001000')
    await reader.load(lookup)
    expect(source.reads.length).toBe(2)
    expect(reader.find(lookup)).toBe(FOUND)
  })

  test('of keys that the filter or the range excludes cost nothing', async () => {
    const source = new CountingSource(large)
    const reader = await SstReader.open(source)
    const absent = lookupOf('key00001001')
    expect(reader.mayContain(absent)).toBe(false)
    expect(reader.find(absent)).toBe(ABSENT)
    const { file } = write(rows, { filterBitsPerKey: 0 })
    const bare = await SstReader.open(memorySource(file))
    expect(bare.mayContain(absent)).toBe(true)
    expect(bare.find(absent)).toBe(NOT_RESIDENT)
    expect(bare.find(lookupOf('a'))).toBe(ABSENT)
    expect(bare.find(lookupOf('z'))).toBe(ABSENT)
    expect(bare.find(lookupOf('key00001000', 49))).toBe(ABSENT)
    expect(source.reads).toEqual([])
  })

  test('share one read when they are made at the same time', async () => {
    const source = new CountingSource(large)
    const reader = await SstReader.open(source)
    const lookups = Array.from({ length: 10 }, (_, i) => lookupOf(`key0000100${(i >> 1) * 2}`))
    await Promise.all(lookups.map((lookup) => reader.load(lookup)))
    expect(source.reads.length).toBe(1)
    for (const lookup of lookups) expect(reader.find(lookup)).toBe(FOUND)
  })

  test('find what they loaded even if the cache keeps nothing', async () => {
    for (const indexPartitionBytes of [32, 65_536]) {
      const { file } = write(rows, { indexPartitionBytes })
      const cache = new BlockCache({ bytes: 0 })
      const reader = await SstReader.open(memorySource(file), { cache })
      const lookup = lookupOf('key00001000')
      await reader.load(lookup, { fill: false })
      expect(reader.find(lookup)).toBe(FOUND)
      lookup.set(lookup.keyBytes, 0, lookup.keyEnd, 100)
      expect(reader.find(lookup)).toBe(NOT_RESIDENT)
    }
  })

  test('see an old version many blocks away by one read', async () => {
    const versions = Array.from({ length: 4000 }, (_, i) => ({
      key: text('hot'),
      timestamp: 10_000 - i,
      kind: 1,
      value: text(`state ${10_000 - i}`),
    }))
    for (const indexPartitionBytes of [24, 65_536]) {
      const { file, summary: written } = write(versions, { blockBytes: 1024, indexPartitionBytes })
      expect(written.dataBlocks).toBeGreaterThan(40)
      for (const timestamp of [10_000, 9_000, 8_123, 6_001, 6_000]) {
        const source = new CountingSource(file)
        const reader = await SstReader.open(source)
        const lookup = lookupOf('hot', timestamp)
        await reader.load(lookup)
        const status = reader.find(lookup)
        expect(status).toBe(timestamp === 6000 ? ABSENT : FOUND)
        expect(source.reads.length).toBeLessThanOrEqual(indexPartitionBytes === 24 ? 2 : 1)
        if (status === FOUND) expect(lookup.foundTimestamp).toBe(timestamp)
      }
    }
  })

  test('let few absent keys through the filter', async () => {
    const { file } = write(rows)
    const reader = await SstReader.open(memorySource(file))
    let passed = 0
    for (let i = 0; i < 20_000; i++) {
      if (reader.mayContain(lookupOf(`absent${i}`))) passed++
    }
    // Ten bits a key should let 1 % pass; some lines are fuller than others.
    expect(passed / 20_000).toBeLessThan(0.015)
  })

  test('do not mix up one file opened with different timestamps', async () => {
    const { file } = write(rows, { timestamps: 'file' })
    const cache = new BlockCache({ bytes: 1 << 20 })
    for (const timestamp of [5, 9]) {
      const reader = await SstReader.open(memorySource(file), { cache, timestamp })
      const lookup = lookupOf('key00001000', 9)
      await reader.load(lookup)
      expect(reader.find(lookup)).toBe(FOUND)
      expect(lookup.foundTimestamp).toBe(timestamp)
      expect(reader.find(lookupOf('key00001000', timestamp - 1))).toBe(ABSENT)
    }
  })
})

describe('cursors', () => {
  test('read adjacent blocks at once, as far as they are told', async () => {
    for (const reverse of [false, true]) {
      const source = new CountingSource(large)
      const reader = await SstReader.open(source)
      const cursor = reader.cursor({ reverse, readAheadBytes: 20_000 })
      expect(await drain(cursor, cursor.first())).toHaveLength(rows.length)
      const dataBytes = reader.properties.dataBytes
      expect(source.reads.length).toBeLessThan(dataBytes / 15_000 + 2)
      for (const [, length] of source.reads) expect(length).toBeLessThanOrEqual(20_000)
    }
  })

  test('have the next read under way while they use the last one up', async () => {
    const source = new CountingSource(large)
    const reader = await SstReader.open(source)
    const cursor = reader.cursor({ readAheadBytes: 20_000 })
    cursor.first()
    await cursor.load()
    expect(source.reads.length).toBe(2)
    await drain(cursor, POSITIONED, 20)
    expect(source.reads.length).toBe(2)
    cursor.close()
    // A seek elsewhere doesn't use it; without read-ahead there is none.
    const stepping = reader.cursor({ readAheadBytes: 0, reverse: true })
    stepping.first()
    await stepping.load()
    expect(source.reads.length).toBe(3)
  })

  test('meet the failure of a read ahead only when they come to it', async () => {
    const whole = memorySource(large)
    let reads = 0
    const reader = await SstReader.open({
      readTail: (length) => whole.readTail(length),
      read: (offset, length) =>
        ++reads === 2 ? Promise.reject(new Error('no network')) : whole.read(offset, length),
    })
    const cursor = reader.cursor({ readAheadBytes: 20_000 })
    let status = cursor.first()
    let seen = 0
    const failed = await (async () => {
      for (;;) {
        if (status === PENDING) status = await cursor.load()
        seen++
        status = cursor.next()
      }
    })().catch((error: Error) => error.message)
    expect(failed).toBe('no network')
    expect(seen).toBeGreaterThan(100)
    expect(await cursor.load()).toBe(POSITIONED)
    expect(await drain(cursor, POSITIONED)).toHaveLength(rows.length - seen)
  })

  test('begin with one block, and read more at a time the longer they go on', async () => {
    const source = new CountingSource(large)
    const reader = await SstReader.open(source)
    const cursor = reader.cursor()
    expect(cursor.first()).toBe(PENDING)
    await cursor.load()
    expect(source.reads[0]?.[1]).toBeLessThan(5000)
    await drain(cursor, POSITIONED)
    const lengths = source.reads.map(([, length]) => length)
    expect(Math.max(...lengths)).toBeGreaterThan(25_000)
    expect(lengths.length).toBeLessThan(8)
  })

  test('leave the cache as it is when told not to fill it', async () => {
    const cache = new BlockCache({ bytes: 1 << 20 })
    const reader = await SstReader.open(memorySource(large), { cache })
    const cursor = reader.cursor({ fill: false, readAheadBytes: 8192 })
    expect(await drain(cursor, cursor.first())).toHaveLength(rows.length)
    expect(cache.usedBytes).toBe(0)
    const filling = reader.cursor({ readAheadBytes: 8192 })
    await drain(filling, filling.first())
    expect(cache.usedBytes).toBeGreaterThan(100_000)
  })

  test('read only what is missing between cached blocks', async () => {
    const source = new CountingSource(large)
    const reader = await SstReader.open(source, { cache: new BlockCache({ bytes: 1 << 22 }) })
    const warm = reader.cursor()
    await drain(warm, warm.first())
    const before = source.reads.length
    const again = reader.cursor({ readAheadBytes: 1 << 20 })
    expect(again.first()).toBe(POSITIONED)
    expect(await drain(again, POSITIONED)).toHaveLength(rows.length)
    expect(source.reads.length).toBe(before)
  })

  test('give views that no later move changes, unless told otherwise', async () => {
    const reader = await SstReader.open(memorySource(large))
    for (const reverse of [false, true]) {
      const cursor = reader.cursor({ reverse })
      expect(cursor.stable).toBe(true)
      const views: [Uint8Array, Uint8Array][] = []
      let status = cursor.first()
      while (status !== 0) {
        if (status === PENDING) status = await cursor.load()
        views.push([
          cursor.keyBytes.subarray(cursor.keyStart, cursor.keyEnd),
          cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd),
        ])
        status = cursor.next()
      }
      cursor.seek(text('key00004000'), 0, 11, true)
      // Writes to one caller's views don't reach other callers.
      for (const [, value] of views) value[0] = 0x56
      const expected = reverse ? [...rows].reverse() : rows
      expect(views.map(([key]) => Buffer.from(key).toString())).toEqual(
        expected.map(({ key }) => Buffer.from(key).toString()),
      )
    }
    const fresh = reader.cursor()
    expect(await drain(fresh, fresh.first())).toEqual(rows)
    expect(reader.cursor({ private: false }).stable).toBe(false)
  })

  test('keep the key of a seek that has to wait', async () => {
    const reader = await SstReader.open(memorySource(large))
    const cursor = reader.cursor()
    const key = text('key00004000')
    expect(cursor.seek(key, 0, key.length, true)).toBe(PENDING)
    key.fill(0x7a)
    expect(await cursor.load()).toBe(POSITIONED)
    expect(Buffer.from(cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd)).toString()).toBe(
      'key00004000',
    )
  })

  test('stay at the end, and come back by a new move', async () => {
    const reader = await SstReader.open(memorySource(small))
    const cursor = reader.cursor()
    expect(cursor.next()).toBe(0)
    await drain(cursor, cursor.first())
    expect([cursor.next(), cursor.next(), await cursor.load()]).toEqual([0, 0, 0])
    expect(cursor.first()).toBe(POSITIONED)
    expect(cursor.seek(text('z'), 0, 1, true)).toBe(0)
    expect(cursor.next()).toBe(0)
  })

  test('go on after a load that failed', async () => {
    let broken = true
    const whole = memorySource(large)
    const reader = await SstReader.open({
      readTail: (length) => whole.readTail(length),
      read: (offset, length) =>
        broken ? Promise.reject(new Error('no network')) : whole.read(offset, length),
    })
    const cursor = reader.cursor()
    expect(cursor.first()).toBe(PENDING)
    await expect(cursor.load()).rejects.toThrow('no network')
    broken = false
    expect(await drain(cursor, PENDING)).toEqual(rows)
  })

  test.each([true, false])(
    '42: stop with the reason of their signal, and no other caller does (fill: %s)',
    async (fill) => {
      const reader = await SstReader.open(memorySource(large))
      const controller = new AbortController()
      const aborted = reader.cursor({ signal: controller.signal, readAheadBytes: 30_000, fill })
      const other = reader.cursor({ readAheadBytes: 30_000, fill })
      expect([aborted.first(), other.first()]).toEqual([PENDING, PENDING])
      const failing = aborted.load()
      const going = other.load()
      controller.abort('enough')
      await expect(failing).rejects.toBe('enough')
      expect(await going).toBe(POSITIONED)
      await expect(aborted.load()).rejects.toBe('enough')
      expect(await drain(other, POSITIONED)).toEqual(rows)
    },
  )
})

describe('warming', () => {
  const keyAt = (i: number) => rows[i]?.key ?? new Uint8Array(0)
  const warm = async (reader: SstReader, first: number, last: number, signal?: AbortSignal) => {
    const sum = { reads: 0, blocks: 0, bytes: 0, records: 0 }
    for await (const read of reader.warm(keyAt(first), keyAt(last), { signal })) {
      sum.reads++
      sum.blocks += read.blocks
      sum.bytes += read.bytes
      sum.records += read.records
    }
    return sum
  }

  test.each([
    { index: 'flat', options: { blockBytes: 4096 }, partitions: 1 },
    {
      index: 'partitioned',
      options: { blockBytes: 1024, indexPartitionBytes: 128 },
      partitions: 4,
    },
  ])('makes lookups in a range free, with an index that is $index', async (given) => {
    const source = new CountingSource(write(rows, given.options).file)
    const reader = await SstReader.open(source)
    const { partitionCount } = reader.file
    expect(partitionCount).toBeGreaterThanOrEqual(given.partitions)
    source.reads.length = 0
    const find = (i: number) => reader.find(lookupOf(keyAt(i)))
    const { records } = await warm(reader, 1000, 4000)
    expect(records).toBeGreaterThanOrEqual(3001)
    expect(records).toBeLessThan(3001 + 2 * 100)
    const reads = source.reads.length
    // One for the blocks of each partition, and one for the partition.
    expect(reads).toBeLessThanOrEqual(partitionCount === 1 ? 1 : 2 * partitionCount)
    for (let i = 1000; i <= 4000; i++) expect(find(i)).toBe(FOUND)
    expect(source.reads.length).toBe(reads)
    expect(find(900)).toBe(NOT_RESIDENT)
    expect(find(4100)).toBe(NOT_RESIDENT)
  })

  test('reads what is missing, by one read across what is there, and counts it once', async () => {
    const source = new CountingSource(large)
    const reader = await SstReader.open(source)
    await reader.load(lookupOf(keyAt(2500)))
    source.reads.length = 0
    const first = await warm(reader, 0, 4999)
    expect(first.reads).toBe(1)
    expect(source.reads.length).toBe(1)
    expect(first.blocks).toBe(reader.dataBlocks - 1)
    expect(first.records).toBeLessThan(5000)
    expect(first.bytes).toBeLessThan(source.reads[0]?.[1] ?? 0)
    expect(await warm(reader, 0, 4999)).toEqual({ reads: 0, blocks: 0, bytes: 0, records: 0 })
    expect(source.reads.length).toBe(1)
  })

  test('decodes the blocks of a read in the turns that it is given, as a cursor does', async () => {
    const reader = await SstReader.open(new CountingSource(large))
    // Like a time slice: after ten blocks, all wait for a turn.
    let left = 10
    let turns = 0
    let turn: Promise<void> | undefined
    const pause = (): Promise<void> | undefined => {
      if (left-- > 0) return undefined
      turn ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        turns++
        turn = undefined
        left = 10
      })
      return turn
    }
    for await (const { blocks } of reader.warm(text(''), text('z'), { pause })) {
      expect(blocks).toBe(reader.dataBlocks)
    }
    expect(reader.dataBlocks).toBeGreaterThan(50)
    expect(turns).toBe(Math.ceil(reader.dataBlocks / 10) - 1)
    turns = 0
    left = 10
    const cold = await SstReader.open(new CountingSource(large))
    const cursor = cold.cursor({ readAheadBytes: large.length, pause })
    expect(await drain(cursor, cursor.first())).toHaveLength(rows.length)
    expect(turns).toBe(Math.ceil(cold.dataBlocks / 10) - 1)
  })

  test('reads at most a MiB at a time, and no further than it is asked to', async () => {
    const big = Array.from({ length: 6000 }, (_, i) => ({
      key: text(String(i).padStart(8, '0')),
      timestamp: 50,
      kind: 1,
      value: Uint8Array.from({ length: 1000 }, (_, j) => (i * 7919 + j * j) & 255),
    }))
    const source = new CountingSource(write(big, { compression: 'none' }).file)
    const reader = await SstReader.open(source)
    for await (const { bytes } of reader.warm(text(''), text('9'))) {
      expect(bytes).toBeGreaterThan(2 ** 20 - 16_384)
      break
    }
    // The read that was handed out, and the one under way.
    expect(source.reads.length).toBe(2)
    for (const [, length] of source.reads) expect(length).toBeLessThanOrEqual(2 ** 20)
  })

  test('42: ends with the reason of its signal', async () => {
    const reader = await SstReader.open(memorySource(large))
    await expect(warm(reader, 0, 4999, AbortSignal.abort('enough'))).rejects.toBe('enough')
  })
})

describe('41: closing', () => {
  test('is idempotent, closes the source once, and ends use with typed errors', async () => {
    const source = new CountingSource(large)
    const cache = new BlockCache({ bytes: 1 << 20 })
    const reader = await SstReader.open(source, { cache })
    const cursor = reader.cursor()
    await drain(cursor, cursor.first(), 3)
    const pending = reader.cursor({ reverse: true })
    expect(pending.first()).toBe(PENDING)
    await Promise.all([reader.close(), reader.close()])
    await reader.close()
    expect(source.closed).toBe(1)
    const closed = expect.objectContaining({ code: 'FIRN_CLOSED' })
    expect(() => reader.find(lookupOf('key00000002'))).toThrow(closed)
    await expect(reader.load(lookupOf('a'))).rejects.toEqual(closed)
    expect(() => reader.cursor()).toThrow(closed)
    expect(() => cursor.first()).toThrow(closed)
    await expect(pending.load()).rejects.toEqual(closed)
    await expect(reader.verify()).rejects.toEqual(closed)
    expect(cache.stats().pinnedBytes).toBe(0)
  })

  test('ends a cursor alone', async () => {
    const reader = await SstReader.open(memorySource(small))
    const cursor = reader.cursor()
    cursor.first()
    await cursor.load()
    cursor.close()
    cursor.close()
    expect(() => cursor.next()).toThrow(expect.objectContaining({ code: 'FIRN_CLOSED' }))
    expect(() => cursor.first()).toThrow(expect.objectContaining({ code: 'FIRN_CLOSED' }))
    expect(reader.cursor().first()).toBe(POSITIONED)
  })
})

test('an empty file opens, finds nothing and ends at once', async () => {
  const { file, summary: empty } = write([])
  expect(empty).toMatchObject({ records: 0, dataBlocks: 0, minTimestamp: 0, maxTimestamp: 0 })
  const reader = await SstReader.open(memorySource(file))
  const lookup = lookupOf('')
  expect(reader.find(lookup)).toBe(ABSENT)
  expect(reader.mayContain(lookup)).toBe(false)
  await reader.load(lookup)
  for (const reverse of [false, true]) {
    const cursor = reader.cursor({ reverse })
    expect([cursor.first(), cursor.next(), cursor.seek(text('a'), 0, 1, true)]).toEqual([0, 0, 0])
  }
  expect((await reader.verify()).problems).toBe(0)
})
