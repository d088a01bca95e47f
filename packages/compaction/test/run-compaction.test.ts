import { compareBytes } from '@firn/bytes'
import { isFirnError } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import { KIND_PUT } from '@firn/mvcc'
import { ArrayCursor, type VersionedRecord } from '@firn/mvcc/testing'
import type { Upload } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import {
  DamagedInputError,
  type MergePlan,
  planInputs,
  type WriteFilesOptions,
  writeFiles,
} from '../src/index.js'
import { key } from './picture.js'
import { SmallDatabase } from './small-database.js'

const leveled = { level0Trigger: 2, levelBaseBytes: 3000, targetFileBytes: 1000 }

function put(name: string, timestamp: number, bytes = 20): VersionedRecord {
  return { key: key(name), timestamp, kind: KIND_PUT, value: new Uint8Array(bytes) }
}

const number = (i: number) => String(i).padStart(4, '0')

/** Two files of level 0 and one of L1, whose keys interleave. */
async function threeFiles(): Promise<SmallDatabase> {
  const database = new SmallDatabase(['none'], leveled)
  for (const asFile of [true, true]) {
    await database.commit(
      Array.from({ length: 60 }, (_, i) => `1:${number(i * 2)}=old`),
      asFile,
    )
  }
  await database.compactAll()
  for (let round = 0; round < 2; round++) {
    const writes = Array.from({ length: 60 }, (_, i) => `1:${number(i * 3 + round)}=new`)
    await database.commit(writes, true)
  }
  return database
}

async function names(database: SmallDatabase): Promise<string[]> {
  const all: string[] = []
  for await (const { key: name } of database.store.list()) all.push(name)
  return all
}

describe('writeFiles', () => {
  async function write(
    records: VersionedRecord[],
    more: Partial<WriteFilesOptions>,
  ): Promise<{ files: FileMeta[]; database: SmallDatabase }> {
    const database = new SmallDatabase([], leveled)
    const files = await writeFiles(new ArrayCursor(records, { stable: false }), {
      ...database.outputs(),
      level: 1,
      timestamps: 'record',
      targetFileBytes: 1000,
      tableOptions: () => ({ compression: 'none' }),
      ...more,
    })
    return { files, database }
  }

  test('writes nothing for nothing', async () => {
    const { files, database } = await write([], {})
    expect(files).toEqual([])
    expect(await names(database)).toEqual([])
  })

  test('ends files at about the target size, in key order, without overlap', async () => {
    const records = Array.from({ length: 500 }, (_, i) => put(`1:${number(i)}`, 7))
    const { files, database } = await write(records, {})
    expect(files.length).toBeGreaterThan(10)
    for (const file of files.slice(0, -1)) expect(file.bytes).toBeGreaterThan(700)
    for (const file of files) expect(file.bytes).toBeLessThan(2000)
    for (const [i, file] of files.slice(1).entries()) {
      expect(compareBytes(files[i]?.largest as Uint8Array, file.smallest)).toBeLessThan(0)
    }
    const read = (await Promise.all(files.map((file) => database.records(file)))).flat()
    expect(read).toEqual(records)
    expect(files.map(({ records: n }) => n).reduce((a, b) => a + b)).toBe(500)
    expect(files[0]).toMatchObject({
      level: 1,
      commitFile: false,
      minTimestamp: 7,
      maxTimestamp: 7,
    })
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

  test('ends files between tables for levels, and not for level 0 unless asked', async () => {
    const records = [put('1:a', 1), put('1:b', 1), put('2:a', 1), put('7:a', 1)]
    const tables = async (more: Partial<WriteFilesOptions>) =>
      (await write(records, more)).files.map(({ records: n }) => n)
    expect(await tables({})).toEqual([2, 1, 1])
    expect(await tables({ level: 0 })).toEqual([4])
    expect(await tables({ level: 0, splitTables: true })).toEqual([2, 1, 1])
  })

  test('writes a commit’s files without timestamps', async () => {
    const { files } = await write([put('1:a', 1), put('1:b', 1)], { level: 0, timestamps: 'file' })
    expect(files[0]).toMatchObject({ commitFile: true, minTimestamp: 0, maxTimestamp: 0 })
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
      const database = new SmallDatabase([], leveled)
      const outputs = database.outputs()
      let calls = 0
      const unfinished = new Set<string>()
      const failing = async (id: string): Promise<Upload> => {
        const upload = await outputs.upload(id)
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
      const writing = writeFiles(cursor, {
        ...outputs,
        upload: failing,
        level: 1,
        timestamps: 'record',
        targetFileBytes: 1000,
        tableOptions: () => ({ compression: 'none' }),
      })
      await expect(writing).rejects.toThrow('disk full')
      expect(calls).toBe(3)
      expect(unfinished.size).toBe(0)
      expect(await names(database)).toEqual([])
      expect(cursor.closes).toBe(1)
    },
  )
})

describe('runCompaction', () => {
  test('gives what a compact edit needs', async () => {
    const database = await threeFiles()
    const plan = database.plan() as MergePlan
    const result = await database.run(plan)
    expect(result.removed.sort()).toEqual(
      planInputs(plan)
        .map(({ id }) => id)
        .sort(),
    )
    expect(result.recordsRead).toBe(180)
    expect(result.recordsDropped).toBe(40)
    expect(result.floors).toEqual([{ table: 1, timestamp: database.state.timestamp }])
    const bytes = result.added.map(({ file }) => file.bytes).reduce((a, b) => a + b)
    expect(result.bytesWritten).toBe(bytes)
    expect(result.bytesRead).toBeGreaterThan(
      planInputs(plan)
        .map((f) => f.bytes)
        .reduce((a, b) => a + b) * 0.9,
    )
    for (const { table, file } of result.added) {
      expect(table).toBe(1)
      expect(file).toMatchObject({ level: 1, commitFile: false })
      expect(file.minTimestamp).toBeGreaterThan(0)
    }
  })

  test('moves and drops without reading or writing', async () => {
    const database = new SmallDatabase(['none', 'none'], { ...leveled, targetFileBytes: 10 })
    await database.commit(['1:a=x'], true)
    await database.commit(['1:b=x'], true)
    const before = database.state.level0
    const result = await database.run(database.plan() as MergePlan)
    expect(result.added.map(({ file }) => file)).toEqual(
      before.map((file) => ({ ...file, level: 1 })),
    )
    expect(result.bytesRead + result.bytesWritten).toBe(0)
    database.commitResult(result)
    await database.commit(['2:a=x'], true)
    database.append([{ type: 'drop-table', id: 2 }])
    const dropped = await database.run(database.plan() as MergePlan)
    expect(dropped).toMatchObject({ added: [], bytesRead: 0 })
    expect(dropped.removed.length).toBe(1)
  })

  test('36: names the damaged input, leaves no output, and goes on without the file', async () => {
    const database = await threeFiles()
    const plan = database.plan() as MergePlan
    const before = await names(database)
    const [damaged] = plan.runs[1] as FileMeta[]
    const openSource = (file: FileMeta) => {
      const source = database.source(file)
      if (file.id !== damaged?.id) return source
      const spoiled = (bytes: Uint8Array, from: number) => {
        const copy = bytes.slice()
        if (from <= 3) copy[3 - from] = (copy[3 - from] ?? 0) ^ 1
        return copy
      }
      return {
        read: async (offset: number, length: number) =>
          spoiled(await source.read(offset, length), offset),
        readTail: async (length: number) => {
          const { bytes, size } = await source.readTail(length)
          return { bytes: spoiled(bytes, size - bytes.length), size }
        },
      }
    }
    const error = await database.run(plan, { openSource }).catch((reason) => reason)
    expect(error).toBeInstanceOf(DamagedInputError)
    expect(isFirnError(error, 'FIRN_CORRUPTION')).toBe(true)
    expect(error.fileId).toBe(damaged?.id)
    expect(error.message).toContain(damaged?.id)
    expect(await names(database)).toEqual(before)
    const other = database.plan({ poisoned: new Set([error.fileId]), level0Trigger: 1 })
    expect(planInputs(other as MergePlan).map(({ id }) => id)).not.toContain(error.fileId)
  })

  test('42: stops when it is aborted, in the middle, and leaves no output', async () => {
    const database = await threeFiles()
    const before = await names(database)
    const controller = new AbortController()
    let reads = 0
    const openSource = (file: FileMeta) => {
      const source = database.source(file)
      return {
        ...source,
        readTail: (length: number) => {
          if (++reads === 4) controller.abort(new Error('shutting down'))
          return source.readTail(length)
        },
      }
    }
    const plan = database.plan() as MergePlan
    const more = { openSource, signal: controller.signal, readAheadBytes: 1 }
    await expect(database.run(plan, more)).rejects.toThrow('shutting down')
    expect(await names(database)).toEqual(before)
    await expect(database.run(plan, more)).rejects.toThrow('shutting down')
    expect(reads).toBeLessThan(12)
  })

  test('reads a small file by one request', async () => {
    const database = await threeFiles()
    let reads = 0
    const openSource = (file: FileMeta) => {
      const source = database.source(file)
      return {
        read: (offset: number, length: number) => {
          reads++
          return source.read(offset, length)
        },
        readTail: (length: number) => {
          reads++
          return source.readTail(length)
        },
      }
    }
    const plan = database.plan() as MergePlan
    await database.run(plan, { openSource })
    expect(reads).toBe(planInputs(plan).length)
  })

  test('does not wait for a read that hangs, when it is aborted', async () => {
    const database = await threeFiles()
    const controller = new AbortController()
    const openSource = (file: FileMeta) => ({
      ...database.source(file),
      readTail: () => {
        controller.abort(new Error('shutting down'))
        return new Promise<{ bytes: Uint8Array; size: number }>(() => {})
      },
    })
    const plan = database.plan() as MergePlan
    const running = database.run(plan, { openSource, signal: controller.signal })
    await expect(running).rejects.toThrow('shutting down')
  })

  test('lets other tasks run every few milliseconds of work', async () => {
    const database = await threeFiles()
    let clock = 0
    let turns = 0
    const env = {
      ...database.env,
      monotonic: () => clock++ * 3,
      yield: async () => {
        turns++
      },
    }
    await database.run(database.plan() as MergePlan, { env })
    expect(turns).toBeGreaterThan(0)
  })
})
