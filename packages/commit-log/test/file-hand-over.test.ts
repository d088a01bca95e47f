import fs from 'node:fs'
import { TestEnv } from '@firn/env/testing'
import { tempDirectory } from '@firn/test-support'
import type { File, OpenMode } from '@firn/vfs'
import { FaultyFileSystem } from '@firn/vfs/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import type { NewLogEntry } from '../src/index.js'
import { clockFor, crashImage, readAll, segmentPaths } from './file-log.js'
import { newEntry } from './fixtures.js'

const lazy = (version: number, bytes = 500): NewLogEntry => ({
  ...newEntry(version, new Uint8Array(bytes).fill(version)),
  lazy: true,
})

/** The versions that another process finds when this one is killed at this moment. */
async function leftBy(directory: string): Promise<number[]> {
  const image = crashImage(directory, fs.mkdtempSync(`${directory}-image-`))
  onTestFinished(() => fs.rmSync(image, { recursive: true, force: true }))
  const log = await FileCommitLog.open(image)
  const versions = (await readAll(log)).map(({ version }) => version)
  await log.close()
  return versions
}

interface Gate {
  reached: Promise<void>
  open(): void
  pass(): Promise<void>
}

function gate(): Gate {
  let reach = () => {}
  let open = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    reached,
    open: () => open(),
    pass: () => {
      reach()
      return opened
    },
  }
}

/** A file system that does what it is asked to, after a gate where there is one for that. */
class GatedFileSystem extends FaultyFileSystem {
  readonly gates: Map<string, Gate> = new Map()

  override openSync(path: string, mode: OpenMode): File {
    const file = super.openSync(path, mode)
    const kind = path.endsWith('.tmp') ? 'draft' : 'segment'
    return {
      ...file,
      write: async (pieces, position, how) => {
        // A thread may come to write at any time; until then the pieces are its own.
        await this.gates.get(`write ${kind}`)?.pass()
        return file.write(pieces, position, how)
      },
      syncData: async () => {
        await this.gates.get(`sync ${kind}`)?.pass()
        return file.syncData()
      },
    }
  }

  override async syncDirectory(path: string) {
    await this.gates.get('sync directory')?.pass()
    return super.syncDirectory(path)
  }

  at(call: string): Gate {
    const made = gate()
    this.gates.set(call, made)
    return made
  }
}

async function gatedLog(options: { segmentBytes?: number } = {}) {
  const directory = tempDirectory()
  const fileSystem = new GatedFileSystem()
  const env = clockFor('by a thread')
  const log = await FileCommitLog.open(directory, { fileSystem, env, ...options })
  await log.append(newEntry(1))
  return { directory, fileSystem, log }
}

describe('a lazy entry', () => {
  test('is the system’s when the call returns: a thread that is never let go of loses none', async () => {
    const { directory, log } = await gatedLog()
    const appends = [2, 3, 4].map((version) => log.append(lazy(version)))
    expect(log.pendingBytes).toBe(0)
    const left = leftBy(directory)
    expect(await left).toEqual([1, 2, 3, 4])
    await Promise.all(appends)
    await log.close()
  })

  test('is the system’s also where it is the first after a clean close', async () => {
    const directory = tempDirectory()
    const before = await FileCommitLog.open(directory)
    await before.append(newEntry(1))
    await before.close()
    const log = await FileCommitLog.open(directory)
    const append = log.append(lazy(2))
    expect(await leftBy(directory)).toEqual([1, 2])
    await append
    await log.close()
  })

  test('is written while a sync is under way, and the next sync makes it durable', async () => {
    const { directory, fileSystem, log } = await gatedLog()
    await log.append(lazy(2))
    const { reached, open } = fileSystem.at('sync segment')
    const sync = log.sync()
    await reached
    await log.append(lazy(3))
    expect(await leftBy(directory)).toEqual([1, 2, 3])
    fileSystem.gates.clear()
    open()
    await sync
    fileSystem.calls.length = 0
    await log.sync()
    expect(fileSystem.calls).toMatchObject([{ call: 'syncData' }])
    await log.close()
  })

  test('is not overwritten by space that is made ahead while it comes', async () => {
    const { directory, log } = await gatedLog()
    // The first durable one after the first has space made ahead, step by step.
    let version = 1
    for (let round = 0; round < 40; round++) {
      await log.append(newEntry(++version))
      for (let i = 0; i < 5; i++) {
        await log.append(lazy(++version, 60_000))
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const all = Array.from({ length: version }, (_, i) => i + 1)
    expect(await leftBy(directory)).toEqual(all)
    await log.close()
    const again = await FileCommitLog.open(directory)
    expect((await readAll(again)).map((entry) => entry.version)).toEqual(all)
    await again.close()
  })

  test('is a thread’s for a while after a write in place took long', async () => {
    const directory = tempDirectory()
    const env = new TestEnv()
    const fileSystem = new FaultyFileSystem((call) => {
      if (call.call === 'write' && !call.durable && call.inPlace) env.advance(slowMs)
      return undefined
    })
    let slowMs = 0
    const log = await FileCommitLog.open(directory, { fileSystem, env })
    await log.append(newEntry(1))
    let version = 1
    const ways = async (count: number): Promise<boolean[]> => {
      const from = fileSystem.calls.length
      for (let i = 0; i < count; i++) await log.append(lazy(++version))
      return fileSystem.calls.slice(from).flatMap((call) => {
        return call.call === 'write' ? [call.inPlace] : []
      })
    }
    expect(await ways(5)).toEqual(Array(5).fill(true))
    slowMs = 50
    expect(await ways(1)).toEqual([true])
    slowMs = 0
    expect(await ways(18)).toEqual([...Array(16).fill(false), true, true])
    await log.close()
  })
})

describe('at the end of a process', () => {
  test.each(['sync draft', 'sync directory'])(
    'what waits for a segment to begin is written (%s)',
    async (call) => {
      const { directory, fileSystem, log } = await gatedLog({ segmentBytes: 4096 })
      await log.append(lazy(2, 3000))
      const { reached, open } = fileSystem.at(call)
      const appends = Promise.allSettled([3, 4].map((version) => log.append(lazy(version, 3000))))
      await reached
      expect(log.pendingBytes).toBe(6000)
      expect(await leftBy(directory)).toEqual([1, 2])
      log.writeOut({ durable: true })
      expect(await leftBy(directory)).toEqual([1, 2, 3, 4])
      // Where it wasn't the end, the log is stopped: nothing can come twice.
      open()
      await Promise.allSettled([log.append(newEntry(5))])
      await appends
      await log.close()
      expect(await leftBy(directory)).toEqual([1, 2, 3, 4])
    },
  )

  test('what a thread is writing is written; and nothing behind it that the thread could undo', async () => {
    const { directory, fileSystem, log } = await gatedLog()
    const { reached, open } = fileSystem.at('write segment')
    // Longer than the space that was made ahead: the write brings zeros along.
    const append = Promise.allSettled([log.append(newEntry(2, new Uint8Array(100_000).fill(2)))])
    await reached
    const behind = Promise.allSettled([log.append(lazy(3))])
    log.writeOut({ durable: true })
    expect(await leftBy(directory)).toEqual([1, 2])
    const bytes = fs.readFileSync(segmentPaths(directory)[0] as string)
    open()
    await Promise.all([append, behind])
    const after = fs.readFileSync(segmentPaths(directory)[0] as string)
    expect(after.subarray(0, bytes.length)).toEqual(bytes)
    await log.close()
    expect(await leftBy(directory)).toEqual([1, 2])
  })

  test('all is synced if that is asked for, once', async () => {
    const { fileSystem, log } = await gatedLog()
    await log.append(lazy(2))
    fileSystem.calls.length = 0
    log.writeOut({ durable: false })
    expect(fileSystem.calls).toEqual([])
    log.writeOut({ durable: true })
    log.writeOut({ durable: true })
    expect(fileSystem.calls).toMatchObject([{ call: 'syncData' }])
    await log.append(lazy(3))
    await log.close()
  })

  test('nothing is written where the log failed, or is closed', async () => {
    const { fileSystem, log } = await gatedLog()
    await log.close()
    fileSystem.calls.length = 0
    log.writeOut({ durable: true })
    expect(fileSystem.calls).toEqual([])
  })
})
