import { compareBytes } from '@firn/bytes'
import { KIND_PUT, prefixedKey } from '@firn/mvcc'
import { ArrayCursor, drain, type VersionedRecord } from '@firn/mvcc/testing'
import { MemoryObjectStore, type ObjectStore, type Upload } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { SstReader, type SstSummary } from '../src/index.js'
import { storeFiles, type WriteFilesOptions, writeFiles } from '../src/store.js'

/** `2:abc` is the key `abc` of table 2. */
function key(text: string): Uint8Array {
  const [table = '', user = ''] = text.split(':')
  return prefixedKey(Number(table), new TextEncoder().encode(user))
}

function put(name: string, timestamp: number, bytes = 20): VersionedRecord {
  return { key: key(name), timestamp, kind: KIND_PUT, value: new Uint8Array(bytes) }
}

const number = (i: number) => String(i).padStart(4, '0')

function outputs(store: ObjectStore): WriteFilesOptions {
  let ids = 0
  return {
    ...storeFiles(store, (id) => id),
    newFileId: () => `0-${++ids}`,
    blockBytes: 128,
    splitTables: true,
    timestamps: 'record',
    targetFileBytes: 1000,
    tableOptions: () => ({ compression: 'none' }),
  }
}

async function recordsOf(
  store: ObjectStore,
  { fileId, bytes }: SstSummary,
): Promise<VersionedRecord[]> {
  const source = storeFiles(store, (id) => id).openSource({ id: fileId, bytes })
  const reader = await SstReader.open(source, { fileId })
  const cursor = reader.cursor()
  const records = await drain(cursor, cursor.first())
  await reader.close()
  return records
}

async function names(store: ObjectStore): Promise<string[]> {
  const all: string[] = []
  for await (const { key: name } of store.list()) all.push(name)
  return all
}

describe('writeFiles', () => {
  async function write(
    records: VersionedRecord[],
    more: Partial<WriteFilesOptions>,
  ): Promise<{ files: SstSummary[]; store: ObjectStore }> {
    const store = new MemoryObjectStore()
    const cursor = new ArrayCursor(records, { stable: false })
    const files = await writeFiles(cursor, { ...outputs(store), ...more })
    return { files, store }
  }

  test('writes nothing for nothing', async () => {
    const { files, store } = await write([], {})
    expect(files).toEqual([])
    expect(await names(store)).toEqual([])
  })

  test('ends files at about the target size, in key order, without overlap', async () => {
    const records = Array.from({ length: 500 }, (_, i) => put(`1:${number(i)}`, 7))
    const { files, store } = await write(records, {})
    expect(files.length).toBeGreaterThan(10)
    for (const file of files.slice(0, -1)) expect(file.bytes).toBeGreaterThan(700)
    for (const file of files) expect(file.bytes).toBeLessThan(2000)
    for (const [i, file] of files.slice(1).entries()) {
      expect(compareBytes(files[i]?.largest as Uint8Array, file.smallest)).toBeLessThan(0)
    }
    const read = (await Promise.all(files.map((file) => recordsOf(store, file)))).flat()
    expect(read).toEqual(records)
    expect(files.map(({ records: n }) => n).reduce((a, b) => a + b)).toBe(500)
    expect(files[0]).toMatchObject({ minTimestamp: 7, maxTimestamp: 7 })
  })

  test('counts what compresses well as what it takes, or small files would be merged for ever', async () => {
    const records = Array.from({ length: 5 }, (_, i) => put(`1:${number(i)}`, 7, 3000))
    const { files } = await write(records, { tableOptions: () => ({ compression: 'lz4' }) })
    expect(files.map(({ records: n }) => n)).toEqual([5])
  })

  test('never splits the versions of one key', async () => {
    const records = ['a', 'b', 'c'].flatMap((name) =>
      Array.from({ length: 200 }, (_, i) => put(`1:${name}`, 1000 - i)),
    )
    const { files } = await write(records, {})
    expect(files.map(({ smallest, largest }) => [smallest, largest])).toEqual(
      ['a', 'b', 'c'].map((name) => [key(`1:${name}`), key(`1:${name}`)]),
    )
  })

  test('ends files between tables if asked', async () => {
    const records = [put('1:a', 1), put('1:b', 1), put('2:a', 1), put('7:a', 1)]
    const tables = async (more: Partial<WriteFilesOptions>) =>
      (await write(records, more)).files.map(({ records: n }) => n)
    expect(await tables({})).toEqual([2, 1, 1])
    expect(await tables({ splitTables: false })).toEqual([4])
  })

  test('writes a commit’s files without timestamps', async () => {
    const { files } = await write([put('1:a', 1), put('1:b', 1)], { timestamps: 'file' })
    expect(files[0]).toMatchObject({ minTimestamp: 0, maxTimestamp: 0 })
  })

  test('asks each table for its codec and a new collector per file, which sees the users’ keys', async () => {
    const seen: string[] = []
    const collectors: number[] = []
    const { files } = await write(
      [
        put('1:a', 1),
        put('2:b', 1),
        ...Array.from({ length: 80 }, (_, i) => put(`2:c${number(i)}`, 1)),
      ],
      {
        tableOptions: (id) => ({
          compression: 'none',
          statistics: {
            last: () => {
              collectors.push(id)
              let last = ''
              return {
                add: (k) => {
                  last = new TextDecoder().decode(k)
                  seen.push(last)
                },
                finish: () => new TextEncoder().encode(last),
              }
            },
          },
        }),
      },
    )
    expect(collectors.length).toBe(files.length)
    expect(seen.slice(0, 3)).toEqual(['a', 'b', 'c0000'])
    expect(new TextDecoder().decode(files.at(-1)?.statistics.last)).toBe('c0079')
  })

  test.each(['upload', 'write', 'finish'] as const)(
    'leaves nothing behind when %s fails',
    async (where) => {
      const store = new MemoryObjectStore()
      const output = outputs(store)
      let calls = 0
      const unfinished = new Set<string>()
      const failing = async (id: string): Promise<Upload> => {
        const upload = await output.upload(id)
        const fails = (now: string) => {
          if (now === where && ++calls === 3) throw new Error('disk full')
        }
        fails('upload')
        unfinished.add(id)
        return {
          write: async (bytes) => {
            fails('write')
            await upload.write(bytes)
          },
          finish: async () => {
            fails('finish')
            unfinished.delete(id)
            return upload.finish()
          },
          abort: async () => {
            unfinished.delete(id)
            await upload.abort()
          },
        }
      }
      const cursor = new ArrayCursor(
        Array.from({ length: 500 }, (_, i) => put(`1:${number(i)}`, 7)),
      )
      const writing = writeFiles(cursor, { ...output, upload: failing })
      await expect(writing).rejects.toThrow('disk full')
      expect(calls).toBe(3)
      expect(unfinished.size).toBe(0)
      expect(await names(store)).toEqual([])
      expect(cursor.closes).toBe(1)
    },
  )
})
