import { BlockCache } from '@firn/block-cache'
import { isFirnError } from '@firn/env'
import { FOUND, NOT_RESIDENT } from '@firn/mvcc'
import { LONG } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { memorySource, SstLookup, SstReader, type SstSource } from '../src/index.js'
import { CountingSource, drain, text, write } from './files.js'
import type { Row } from './sorted-array.js'

const timeout = 600_000

/** About 16 KiB in 20 blocks: versions, deletes, merges, three partitions of index, a filter. */
const rows: Row[] = Array.from({ length: 300 }, (_, i) => ({
  key: text(`table/${String(i >> 1).padStart(6, '0')}`),
  timestamp: 1000 - i,
  kind: i % 7 === 0 ? 0 : i % 11 === 0 ? 2 : 1,
  value: i % 7 === 0 ? new Uint8Array(0) : value(i),
}))

function value(seed: number): Uint8Array {
  // Text that compresses a little, and differs from record to record.
  return text(Array.from({ length: 12 }, (_, i) => Math.imul(seed + 1, i + 77777)).join(','))
}

function damagedFile(): Uint8Array {
  return write(rows, { blockBytes: 1024, indexPartitionBytes: 24, compression: 'lz4' }).file
}

/** Reads everything in a file: each part is right, or a typed error. */
async function readAll(source: SstSource): Promise<'right' | 'refused'> {
  let refused = false
  const attempt = async (run: () => Promise<void>) => {
    try {
      await run()
    } catch (error) {
      if (!isFirnError(error, 'FIRN_CORRUPTION') && !isFirnError(error, 'FIRN_FORMAT_VERSION')) {
        throw error
      }
      refused = true
    }
  }
  await attempt(async () => {
    const reader = await SstReader.open(source, { cache: new BlockCache({ bytes: 1 << 20 }) })
    for (const reverse of [false, true]) {
      await attempt(async () => {
        // One decodes a whole read at once, the other block by block.
        const cursor = reader.cursor({ reverse, readAheadBytes: 4096, fill: reverse })
        const found = await drain(cursor, cursor.first())
        expect(found).toEqual(reverse ? [...rows].reverse() : rows)
      })
    }
    const lookup = new SstLookup()
    for (const i of [0, 101, 299]) {
      await attempt(async () => {
        const row = rows[i] as Row
        lookup.set(row.key, 0, row.key.length, row.timestamp)
        await reader.load(lookup)
        expect(reader.find(lookup)).toBe(FOUND)
        expect(lookup.valueBytes.slice(lookup.valueStart, lookup.valueEnd)).toEqual(row.value)
      })
    }
    await attempt(async () => {
      expect((await reader.verify()).problems).toBe(0)
    })
    await reader.close()
  })
  return refused ? 'refused' : 'right'
}

/** A lookup of one row: the right value, or a typed error. */
async function lookUp(source: SstSource, index: number): Promise<'right' | 'refused'> {
  const row = rows[index] as Row
  const lookup = new SstLookup()
  lookup.set(row.key, 0, row.key.length, row.timestamp)
  try {
    const reader = await SstReader.open(source)
    if (reader.find(lookup) === NOT_RESIDENT) await reader.load(lookup)
    expect(reader.find(lookup)).toBe(FOUND)
    expect(Buffer.compare(foundValue(lookup), row.value)).toBe(0)
    await reader.close()
    return 'right'
  } catch (error) {
    if (isFirnError(error, 'FIRN_CORRUPTION')) return 'refused'
    throw error
  }
}

function foundValue({ valueBytes, valueStart, valueEnd }: SstLookup): Uint8Array {
  return valueBytes.subarray(valueStart, valueEnd)
}

describe('26, 40: any damage gives the right data or a typed error', () => {
  test('has a file of many parts to damage', async () => {
    const file = damagedFile()
    expect(file.length).toBeGreaterThan(15_000)
    const reader = await SstReader.open(memorySource(file))
    expect(reader.dataBlocks).toBeGreaterThan(15)
    expect(reader.properties.partitions.length).toBeGreaterThan(2)
    expect(await readAll(memorySource(file))).toBe('right')
  })

  test(
    'in any flipped bit',
    async () => {
      const file = damagedFile()
      // A prime step reaches every position in a byte. The LONG form takes every 31st bit: reading
      // everything back for every bit would take ten minutes. The next test takes every bit.
      const step = LONG ? 31 : 131
      let refused = 0
      let flips = 0
      for (let bit = 0; bit < file.length * 8; bit += step) {
        const damaged = file.slice()
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
        if ((await readAll(memorySource(damaged))) === 'refused') refused++
        flips++
      }
      // Every bit of a file is under a checksum.
      expect(refused).toBe(flips)
    },
    timeout,
  )

  test(
    'in any flipped bit, when what it is in is read',
    async () => {
      const file = damagedFile()
      const { tailBytes } = await SstReader.open(memorySource(file))
      const end = (file.length - tailBytes) * 8
      // Blocks are in key order, so the row whose block has the bit never goes back. After the last
      // block come parts of the index; for those, read everything.
      let row = 0
      for (let bit = 0; bit < end; bit += LONG ? 1 : 37) {
        const damaged = file.slice()
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
        const source = memorySource(damaged)
        while (row < rows.length && (await lookUp(source, row)) === 'right') row++
        if (row === rows.length) expect(await readAll(source)).toBe('refused')
      }
      expect(row).toBe(rows.length)
    },
    timeout,
  )

  test(
    'in any flipped bit of the tail',
    async () => {
      const file = damagedFile()
      const { tailBytes } = await SstReader.open(memorySource(file))
      const step = LONG ? 1 : 7
      for (let bit = (file.length - tailBytes) * 8; bit < file.length * 8; bit += step) {
        const damaged = file.slice()
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
        const error = await SstReader.open(memorySource(damaged)).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(isFirnError(error, 'FIRN_CORRUPTION')).toBe(true)
      }
    },
    timeout,
  )

  test(
    'at any length that it is cut to',
    async () => {
      const file = damagedFile()
      const step = LONG ? 1 : 29
      for (let length = 0; length < file.length; length += step) {
        expect(await readAll(memorySource(file.slice(0, length)))).toBe('refused')
      }
      const longer = new Uint8Array(file.length + 1)
      longer.set(file)
      expect(await readAll(memorySource(longer))).toBe('refused')
    },
    timeout,
  )
})

describe('a reply that is wrong', () => {
  const broken = (file: Uint8Array, reply: (bytes: Uint8Array, fresh: boolean) => Uint8Array) => {
    const whole = memorySource(file)
    const source: SstSource = {
      readTail: (length, options) => whole.readTail(length, options),
      read: async (offset, length, options) =>
        reply(await whole.read(offset, length, options), options?.fresh ?? false),
    }
    return source
  }
  const damage = (bytes: Uint8Array) => {
    const damaged = bytes.slice()
    damaged[3] = (damaged[3] as number) ^ 1
    return damaged
  }

  test('26: once is read again, past any cache, and no caller notices', async () => {
    for (const once of [damage, (bytes: Uint8Array) => bytes.subarray(1)]) {
      const source = broken(damagedFile(), (bytes, fresh) => (fresh ? bytes : once(bytes)))
      expect(await readAll(source)).toBe('right')
    }
  })

  test('26: twice is an error that names the file and the block', async () => {
    const file = damagedFile()
    const replies = [damage, (bytes: Uint8Array) => bytes.subarray(1), growing]
    for (const fill of [true, false]) {
      for (const reply of replies) {
        const reader = await SstReader.open(broken(file, reply))
        const cursor = reader.cursor({ fill })
        cursor.first()
        await expect(cursor.load()).rejects.toMatchObject({
          code: 'FIRN_CORRUPTION',
          message: expect.stringMatching(/SST test.*offset \d+|offset \d+ of SST test/),
        })
      }
    }
  })

  function growing(bytes: Uint8Array): Uint8Array {
    const longer = new Uint8Array(bytes.length + 1)
    longer.set(bytes)
    return longer
  }

  test('26: of another block, or another file, is told by its checksum', async () => {
    const file = damagedFile()
    const other = write(rows, { fileId: 'other', blockBytes: 1024, indexPartitionBytes: 24 }).file
    expect(other.length).toBe(file.length + 1)
    const whole = memorySource(file)
    const reader = await SstReader.open({
      readTail: (length) => whole.readTail(length),
      read: (offset, length) => memorySource(other).read(offset, length),
    })
    const cursor = reader.cursor()
    cursor.first()
    await expect(cursor.load()).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
  })

  test.each([true, false])(
    '36: of one block leaves the others readable, in both directions (fill: %s)',
    async (fill) => {
      const file = damagedFile()
      const sound = await SstReader.open(memorySource(file))
      const blocks = []
      for await (const block of sound.blocks()) blocks.push(block)
      const bad = blocks[5] as (typeof blocks)[number]
      file[bad.offset + 40] = (file[bad.offset + 40] as number) ^ 0x80
      const before = blocks.slice(0, 5).reduce((sum, block) => sum + block.rows, 0)
      for (const reverse of [false, true]) {
        const reader = await SstReader.open(memorySource(file))
        const cursor = reader.cursor({ reverse, readAheadBytes: 1 << 20, fill })
        const seen: number[] = []
        let status = cursor.first()
        const error = await (async () => {
          for (;;) {
            if (status === -1) status = await cursor.load()
            if (status !== 1) return undefined
            seen.push(cursor.timestamp)
            status = cursor.next()
          }
        })().catch((reason: unknown) => reason)
        expect(isFirnError(error, 'FIRN_CORRUPTION')).toBe(true)
        expect(seen.length).toBe(reverse ? rows.length - before - bad.rows : before)
        const problems: Error[] = []
        const report = await reader.verify({ onProblem: (problem) => problems.push(problem) })
        expect(report.problems).toBe(problems.length)
        expect(problems[0]?.message).toContain(`offset ${bad.offset}`)
        await expect(reader.verify()).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
      }
    },
  )

  test('asks for a damaged tail once more', async () => {
    const file = damagedFile()
    const source = new CountingSource(file)
    let first = true
    const reader = await SstReader.open({
      read: (offset, length, options) => source.read(offset, length, options),
      readTail: async (length, options) => {
        const tail = await source.readTail(length, options)
        if (first) tail.bytes[tail.bytes.length - 40] = 0xff
        first = false
        return tail
      },
    })
    expect(source.tails).toBe(2)
    expect(reader.records).toBe(rows.length)
  })
})
