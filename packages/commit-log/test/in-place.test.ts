import fs from 'node:fs'
import { tempDirectory } from '@firn/test-support'
import { FaultyFileSystem } from '@firn/vfs/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import { clockFor, fill, isCommit, isFill, readAll, segmentPaths } from './file-log.js'
import { newEntry } from './fixtures.js'

describe('a log on a quick disk', () => {
  /** Without space made ahead while it is watched. */
  async function quickLog() {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem((call) =>
      isFill(call) ? { code: 'ENOSPC' } : undefined,
    )
    const env = clockFor('in place')
    const log = await FileCommitLog.open(directory, { fileSystem, env })
    await fill(log, 1, 3)
    fileSystem.calls.length = 0
    const commits = () => fileSystem.calls.filter(isCommit)
    return { directory, log, fileSystem, commits }
  }

  test('writes commits in place, those that come at once together', async () => {
    const { log, commits } = await quickLog()
    await fill(log, 4, 13)
    expect(commits().map(({ inPlace }) => inPlace)).toEqual(Array(10).fill(true))
    await Promise.all([14, 15, 16].map((version) => log.append(newEntry(version))))
    expect(commits()).toHaveLength(11)
    expect(commits().at(-1)).toMatchObject({ inPlace: true, bytes: 3 * 64 })
    expect(await readAll(log)).toHaveLength(16)
    await log.close()
  })

  test('lets the event loop have a turn for each', async () => {
    const { log } = await quickLog()
    let turns = 0
    let counting = true
    const count = () => {
      turns++
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    await fill(log, 4, 53)
    counting = false
    expect(turns).toBeGreaterThanOrEqual(49)
    await log.close()
  })

  test('leaves those behind a lazy one, and those without space, to threads', async () => {
    const { log, commits, fileSystem } = await quickLog()
    await log.append({ ...newEntry(4), lazy: true })
    // A durable write in place doesn't make durable what was written lazily before it.
    await log.append(newEntry(5))
    expect(commits()).toEqual([])
    expect(fileSystem.calls.at(-1)).toMatchObject({ call: 'syncData' })
    await log.append(newEntry(6))
    expect(commits()).toMatchObject([{ inPlace: true }])
    await log.append(newEntry(7, new Uint8Array(100_000)))
    expect(commits().at(-1)).toMatchObject({ inPlace: false })
    await log.close()
  })

  test('waits in place neither for space to be made ahead nor for long entries', async () => {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem()
    const open = fileSystem.openSync.bind(fileSystem)
    let makeSpace = () => {}
    const allowed = new Promise<void>((resolve) => {
      makeSpace = resolve
    })
    fileSystem.openSync = (path, mode) => {
      const file = open(path, mode)
      return {
        ...file,
        syncData: async () => {
          if (path.endsWith('.log')) await allowed
          return file.syncData()
        },
      }
    }
    const log = await FileCommitLog.open(directory, { fileSystem, env: clockFor('in place') })
    const inPlace = () => fileSystem.calls.filter((call) => isCommit(call) && call.inPlace).length
    await fill(log, 1, 20)
    expect(inPlace()).toBe(0)
    makeSpace()
    let version = 20
    while (inPlace() === 0) await log.append(newEntry(++version))
    // There is room for a long one now, which goes to a thread all the same.
    const before = inPlace()
    await log.append(newEntry(++version, new Uint8Array(100_000)))
    expect(inPlace()).toBe(before)
    await log.close()
  })

  test('writes the same bytes as by threads', async () => {
    const images = []
    for (const way of ['in place', 'by a thread'] as const) {
      const directory = tempDirectory()
      const log = await FileCommitLog.open(directory, { env: clockFor(way) })
      await fill(log, 1, 100)
      await log.close()
      images.push(fs.readFileSync(segmentPaths(directory)[0] as string))
    }
    expect(images[0]).toEqual(images[1])
  })

  test.runIf(process.platform === 'linux')('writes where it is durable at once', async () => {
    const { log } = await quickLog()
    const written = vi.spyOn(fs, 'writeSync')
    onTestFinished(() => written.mockRestore())
    await log.append(newEntry(4))
    const fd = written.mock.calls[0]?.[0]
    const flags = /flags:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
    expect(Number.parseInt(flags as string, 8) & fs.constants.O_DSYNC).not.toBe(0)
    await log.close()
  })
})
