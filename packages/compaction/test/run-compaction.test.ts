import { isFirnError } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import { describe, expect, test } from 'vitest'
import { DamagedInputError, type MergePlan, planInputs } from '../src/index.js'
import { SmallDatabase } from './small-database.js'

const leveled = { level0Trigger: 2, levelBaseBytes: 3000, targetFileBytes: 1000 }

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
