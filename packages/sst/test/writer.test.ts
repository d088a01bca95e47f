import { PENDING } from '@firn/mvcc'
import { describe, expect, test } from 'vitest'
import { memorySource, SstReader, SstWriter, type StatisticsCollector } from '../src/index.js'
import { drain, text, write } from './files.js'
import type { Row } from './sorted-array.js'

const put = (key: string, timestamp: number, value = ''): Row => ({
  key: text(key),
  timestamp,
  kind: 1,
  value: text(value),
})

function writer(options: Partial<ConstructorParameters<typeof SstWriter>[0]> = {}): SstWriter {
  return new SstWriter({ fileId: 'w', compression: 'none', timestamps: 'record', ...options })
}

async function reopened(
  rows: Row[],
  options: Parameters<typeof write>[1] = {},
  open: Parameters<typeof SstReader.open>[1] = {},
): Promise<Row[]> {
  const reader = await SstReader.open(memorySource(write(rows, options).file), open)
  const cursor = reader.cursor()
  return await drain(cursor, cursor.first())
}

describe('the writer', () => {
  test('copies what it is given: one Buffer may hold record after record', async () => {
    const writer = new SstWriter({
      fileId: 'test',
      compression: 'none',
      timestamps: 'record',
      // A few records in a block, so that keys are kept as separators.
      blockBytes: 64,
      indexPartitionBytes: 8,
    })
    const key = Buffer.from('k000')
    const value = Buffer.from('v000')
    for (let i = 0; i < 300; i++) {
      key.write(String(i).padStart(3, '0'), 1)
      value.write(String(i).padStart(3, '0'), 1)
      writer.add(key, value, { timestamp: 1 })
    }
    key.fill(0)
    const { smallest } = writer.finish()
    expect(Buffer.from(smallest).toString()).toBe('k000')
    const reader = await SstReader.open(memorySource(writer.take()), { fileId: 'test' })
    const all = reader.cursor()
    const rows = await drain(all, all.first())
    expect(rows.map((row) => Buffer.from(row.key).toString())).toEqual(
      Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`),
    )
    const cursor = reader.cursor()
    key.write('k123')
    let status = cursor.seek(key, 0, 4, true)
    key.write('k299')
    while (status === PENDING) status = await cursor.load()
    expect(Buffer.from(cursor.keyBytes.subarray(cursor.keyStart, cursor.keyEnd)).toString()).toBe(
      'k123',
    )
    await reader.close()
  })

  test('refuses records out of order, and goes on after that', async () => {
    const own = writer()
    own.add(text('b'), text('1'), { timestamp: 5 })
    const late = [
      ['a', 9],
      ['b', 5],
      ['b', 6],
      ['', 1],
    ] as const
    for (const [key, timestamp] of late) {
      expect(() => own.add(text(key), text('2'), { timestamp })).toThrow(
        expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' }),
      )
    }
    own.add(text('b'), text('3'), { timestamp: 4 })
    own.add(text('ba'), text('4'), { timestamp: 9 })
    expect(own.finish().records).toBe(3)
    const reader = await SstReader.open(memorySource(own.take()))
    expect((await reader.verify()).problems).toBe(0)
  })

  test('refuses order errors across a block boundary too', () => {
    const own = writer({ blockBytes: 64 })
    own.add(text('m'), new Uint8Array(100), { timestamp: 5 })
    expect(() => own.add(text('l'), new Uint8Array(100), { timestamp: 5 })).toThrow(/not after/)
    expect(() => own.add(text('m'), new Uint8Array(100), { timestamp: 5 })).toThrow(/not after/)
    own.add(text('m'), new Uint8Array(100), { timestamp: 4 })
    expect(own.finish().dataBlocks).toBe(2)
  })

  test('refuses kinds of later releases, and deletes with a value', () => {
    const own = writer()
    expect(() => own.add(text('a'), text('x'), { timestamp: 1, kind: 3 })).toThrow(
      /kind 3, this release knows 0 to 2/,
    )
    expect(() => own.add(text('a'), text('x'), { timestamp: 1, kind: 0 })).toThrow(/delete/)
    expect(() => own.add(text('a'), text('x'), { timestamp: 1, kind: 0.5 })).toThrow(/kind/)
  })

  test('38: refuses keys, values and timestamps over the limits without showing them', () => {
    const own = writer()
    const secret = new Uint8Array(128 * 1024 + 1).fill(0x73)
    expect(() => own.add(secret, text(''), { timestamp: 1 })).toThrow(
      'SST w: record 0 has a key of 131073 bytes; use at most 131072',
    )
    const huge = { length: 2 ** 28 + 1 } as unknown as Uint8Array
    expect(() => own.add(text('a'), huge, { timestamp: 1 })).toThrow(/a value of 268435457 bytes/)
    for (const timestamp of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => own.add(text('a'), text(''), { timestamp })).toThrow(/timestamp/)
    }
    expect(() => own.add(text('a'), text(''))).toThrow(/timestamp/)
    own.add(text('a'), text(''), { timestamp: Number.MAX_SAFE_INTEGER })
    own.add(text('b'), text(''), { timestamp: 0 })
    expect(own.finish()).toMatchObject({
      minTimestamp: 0,
      maxTimestamp: Number.MAX_SAFE_INTEGER,
    })
  })

  test('refuses options out of their bounds', () => {
    const wrong = [
      { fileId: '' },
      { fileId: 'x'.repeat(1025) },
      { compression: 'zstd' as 'lz4' },
      { timestamps: 'never' as 'file' },
      { blockBytes: 63 },
      { filterBitsPerKey: 33 },
      { filterBitsPerKey: Number.NaN },
      { indexPartitionBytes: 0 },
    ]
    for (const options of wrong) {
      expect(() => writer(options)).toThrow(
        expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' }),
      )
    }
  })

  test('takes nothing after it is finished', () => {
    const own = writer()
    own.finish()
    expect(() => own.finish()).toThrow(expect.objectContaining({ code: 'FIRN_CLOSED' }))
    expect(() => own.add(text('a'), text(''), { timestamp: 1 })).toThrow(
      expect.objectContaining({ code: 'FIRN_CLOSED' }),
    )
  })

  test('38: keeps empty keys, empty values, NULs and every byte', async () => {
    const rows: Row[] = [
      { key: new Uint8Array(0), timestamp: 3, kind: 1, value: new Uint8Array(0) },
      { key: new Uint8Array(0), timestamp: 2, kind: 0, value: new Uint8Array(0) },
      { key: Uint8Array.of(0), timestamp: 1, kind: 1, value: Uint8Array.of(0, 255) },
      { key: Uint8Array.of(0, 0), timestamp: 1, kind: 1, value: new Uint8Array(0) },
      put('__proto__', 1, 'x'),
      { key: new Uint8Array(300).fill(255), timestamp: 1, kind: 2, value: Uint8Array.of(0) },
    ]
    expect(await reopened(rows)).toEqual(rows)
    expect(await reopened(rows, { blockBytes: 64 })).toEqual(rows)
  })

  test('gives a value that is larger than a block one of its own', async () => {
    const rows = [
      put('a', 1, 'small'),
      { ...put('b', 1), value: new Uint8Array(3_000_000).map((_, i) => (i * i) >> 3) },
      put('c', 1, 'small'),
    ]
    for (const compression of ['none', 'lz4', 'deflate'] as const) {
      const { file, summary } = write(rows, { compression })
      expect(summary.dataBlocks).toBe(3)
      const reader = await SstReader.open(memorySource(file))
      const cursor = reader.cursor()
      const found = await drain(cursor, cursor.first())
      expect(found.map(({ key }) => key)).toEqual(rows.map(({ key }) => key))
      for (const [i, { value }] of found.entries()) {
        expect(Buffer.compare(value, (rows[i] as Row).value)).toBe(0)
      }
    }
  })

  test('shares key prefixes of up to the longest key', async () => {
    const long = 'k'.repeat(128 * 1024 - 1)
    const rows = [put(`${long}`, 1, '1'), put(`${long}a`, 1, '2'), put(`${long}b`, 1, '3')]
    for (const blockBytes of [1 << 20, 8192]) {
      const found = await reopened(rows, { blockBytes })
      for (const [i, { key, value }] of rows.entries()) {
        expect(Buffer.compare((found[i] as Row).key, key)).toBe(0)
        expect((found[i] as Row).value).toEqual(value)
      }
    }
  })

  test('stores no timestamps where the file has one, and no key twice', async () => {
    const rows = [put('a', 77, '1'), put('b', 77, '2')]
    const { file, summary } = write(rows, { timestamps: 'file' })
    expect([summary.minTimestamp, summary.maxTimestamp]).toEqual([0, 0])
    expect(await reopened(rows, { timestamps: 'file' }, { timestamp: 77 })).toEqual(rows)
    for (const timestamp of [undefined, -1, 1.5]) {
      await expect(
        SstReader.open(memorySource(file), timestamp === undefined ? {} : { timestamp }),
      ).rejects.toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    }
    const own = writer({ timestamps: 'file' })
    own.add(text('a'), text('1'))
    expect(() => own.add(text('a'), text('2'))).toThrow(/come once/)
  })

  test('hands chunks over at any time, to the same file', () => {
    const rows = Array.from({ length: 2000 }, (_, i) => put(`key${10_000 + i}`, 1, `value ${i}`))
    const whole = write(rows).file
    const own = writer({ fileId: 'test', compression: 'lz4' })
    for (const { key, value, timestamp } of rows) own.add(key, value, { timestamp })
    own.finish()
    const [first, ...rest] = own.take()
    expect(Buffer.concat([first as Uint8Array, ...rest]).equals(whole)).toBe(true)
    expect(own.take()).toEqual([])
  })

  test('tells how long the file is getting', () => {
    const own = writer({ compression: 'none' })
    let before = 0
    for (let i = 0; i < 5000; i++) {
      own.add(text(`key${10_000 + i}`), new Uint8Array(50), { timestamp: 1 })
      expect(own.writtenBytes).toBeGreaterThanOrEqual(before - 1000)
      before = own.writtenBytes
    }
    const { bytes } = own.finish()
    expect(before / bytes).toBeGreaterThan(0.95)
    expect(before / bytes).toBeLessThan(1.1)
  })

  test('stores blocks that compression makes no smaller as they are', async () => {
    let state = 1
    const noise = Uint8Array.from({ length: 5000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
    for (const compression of ['lz4', 'deflate'] as const) {
      const rows = [{ ...put('a', 1), value: noise }, put('b', 1, 'b'.repeat(9000))]
      const reader = await SstReader.open(memorySource(write(rows, { compression }).file))
      const codecs = []
      for await (const block of reader.blocks()) codecs.push(block.codec)
      expect(codecs).toEqual(['none', compression])
    }
  })
})

class Longest implements StatisticsCollector {
  #longest = 0
  #deletes = 0

  add(_key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.#deletes++
    else this.#longest = Math.max(this.#longest, value.length)
  }

  finish(): Uint8Array {
    return Uint8Array.of(this.#longest, this.#deletes)
  }
}

describe('statistics', () => {
  const rows = [put('a', 2, 'xx'), { ...put('b', 1), kind: 0 }, put('c', 1, 'xxxxx')]

  test('see every record, and come back from summary and file', async () => {
    const statistics = () => JSON.parse('{"__proto__": 0, "longest": 0}') as Record<string, never>
    const collectors = Object.fromEntries(
      Object.keys(statistics()).map((name) => [name, new Longest()]),
    )
    const { file, summary } = write(rows, { statistics: collectors })
    expect(Object.entries(summary.statistics)).toContainEqual(['longest', Uint8Array.of(5, 1)])
    const reader = await SstReader.open(memorySource(file))
    expect(reader.statistics).toEqual(summary.statistics)
    await reader.verify({ statistics: { longest: new Longest() } })
    const wrong = { add: () => {}, finish: () => Uint8Array.of(1) }
    await expect(reader.verify({ statistics: { longest: wrong } })).rejects.toMatchObject({
      code: 'FIRN_CORRUPTION',
    })
  })

  test('over their limit are refused', () => {
    const own = writer({
      statistics: { s: { add: () => {}, finish: () => new Uint8Array(2 ** 25) } },
    })
    expect(() => own.finish()).toThrow(expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' }))
  })
})
