import fs from 'node:fs'
import { TestEnv } from '@firn/env/testing'
import { tempDirectory } from '@firn/test-support'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import { WritePace } from '../src/internal/file/write-pace.js'
import { FaultyFileSystem } from './faulty-file-system.js'
import { clockFor, fill, isCommit, isFill, readAll, segmentPaths, type Way } from './file-log.js'
import { newEntry } from './fixtures.js'

/** A disk and an event loop that take this long, in milliseconds, on the clock of a test. */
interface Times {
  inPlace: number
  byThread: number
  turn: number
}

const QUICK: Times = { inPlace: 0.1, byThread: 0.2, turn: 0.001 }

/** What a pace decides for some writes in a row. */
async function pacing(pace: WritePace, env: TestEnv, count: number, times: Times): Promise<Way[]> {
  const ways: Way[] = []
  env.yield = async () => env.advance(times.turn)
  for (let i = 0; i < count; i++) {
    const inPlace = pace.mayBlock() && (await pace.turn())
    const since = pace.now()
    env.advance(inPlace ? times.inPlace : times.byThread)
    if (inPlace) pace.took(since)
    else pace.tookByThread(since)
    ways.push(inPlace ? 'in place' : 'by a thread')
  }
  return ways
}

function countInPlace(ways: readonly Way[]): number {
  return ways.filter((way) => way === 'in place').length
}

describe('the pace of durable writes', () => {
  const paced = () => {
    const env = new TestEnv()
    const pace = new WritePace(env)
    return (count: number, times: Times) => pacing(pace, env, count, times)
  }

  test('is in place while the disk is quick, but for the first', async () => {
    const ways = await paced()(100, QUICK)
    expect(ways[0]).toBe('by a thread')
    expect(countInPlace(ways)).toBe(99)
  })

  test('never holds the thread up for a disk that is always slow', async () => {
    const ways = await paced()(10_000, { inPlace: 5, byThread: 5.1, turn: 0.001 })
    expect(countInPlace(ways)).toBe(0)
  })

  test('does four times for a disk that becomes slow, and goes back when it is quick', async () => {
    const run = paced()
    await run(1000, QUICK)
    expect(countInPlace(await run(1000, { inPlace: 5, byThread: 5.1, turn: 0.001 }))).toBe(4)
    expect(countInPlace(await run(1000, QUICK))).toBeGreaterThan(950)
  })

  test('forgives a disk that is slow now and then', async () => {
    const run = paced()
    let inPlace = 0
    for (let i = 0; i < 50; i++) {
      inPlace += countInPlace(await run(50, QUICK))
      inPlace += countInPlace(await run(1, { ...QUICK, inPlace: 4, byThread: 4.1 }))
    }
    expect(inPlace / (50 * 51)).toBeGreaterThan(0.95)
  })

  test('tries ever more rarely where writes in place alone are slow', async () => {
    const slow = { ...QUICK, inPlace: 0.9 }
    const run = paced()
    const [first, later] = [await run(1000, slow), await run(30_000, slow)]
    expect(countInPlace(first)).toBeGreaterThan(1)
    expect(countInPlace(first)).toBeLessThan(40)
    expect(countInPlace(later)).toBeGreaterThan(1)
    expect(countInPlace(later)).toBeLessThan(600)
  })

  test('leaves an event loop alone that has other things to do', async () => {
    expect(countInPlace(await paced()(10_000, { ...QUICK, turn: 0.2 }))).toBeLessThan(250)
  })
})

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
    const commits = () => fileSystem.calls.filter(isCommit) as { inPlace: boolean }[]
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
    expect(fileSystem.calls.at(-1)).toMatchObject({ call: 'sync' })
    await log.append(newEntry(6))
    expect(commits()).toMatchObject([{ inPlace: true }])
    await log.append(newEntry(7, new Uint8Array(100_000)))
    expect(commits().at(-1)).toMatchObject({ inPlace: false })
    await log.close()
  })

  test('waits in place neither for space to be made ahead nor for long entries', async () => {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem()
    const open = fileSystem.open.bind(fileSystem)
    let makeSpace = () => {}
    const allowed = new Promise<void>((resolve) => {
      makeSpace = resolve
    })
    fileSystem.open = (path, options) => {
      const file = open(path, options)
      return {
        ...file,
        sync: async () => {
          if (path.endsWith('.log')) await allowed
          return file.sync()
        },
      }
    }
    const log = await FileCommitLog.open(directory, { fileSystem, env: clockFor('in place') })
    const inPlace = () =>
      fileSystem.calls.filter((call) => isCommit(call) && 'inPlace' in call && call.inPlace).length
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
