import fs from 'node:fs'
import path from 'node:path'
import { systemEnv } from '@firn/env'
import { tempDirectory } from '@firn/test-support'
import {
  FaultyFileSystem,
  type FileCall,
  type FileFault,
  makeNodeFileSystem,
} from '@firn/vfs/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import type { CommitLog } from '../src/index.js'
import {
  clockFor,
  crashImage,
  describeEntries,
  fill,
  isCommit,
  isFill,
  readAll,
  segmentPaths,
  type Way,
} from './file-log.js'
import { newEntry } from './fixtures.js'

const failed = { code: 'FIRN_LOG_FAILED' }

/** A log of ten entries that were acknowledged, on a file system that starts to fail after. */
async function logThatFails(fault: (call: FileCall) => FileFault | undefined, way?: Way) {
  const directory = tempDirectory()
  let armed = false
  const fileSystem = new FaultyFileSystem((call) => {
    if (armed) return fault(call)
    return way !== undefined && isFill(call) ? { code: 'ENOSPC' } : undefined
  })
  const env = way === undefined ? systemEnv : clockFor(way)
  const log = await FileCommitLog.open(directory, { fileSystem, env })
  const entries = describeEntries(await fill(log, 1, 10))
  if (way !== undefined) expectWay(fileSystem, way)
  armed = true
  const repair = () => {
    armed = false
  }
  return { directory, log, entries, fileSystem, repair }
}

function expectWay({ calls }: FaultyFileSystem, way: Way): void {
  expect(calls.filter(isCommit).at(-1)).toMatchObject({ inPlace: way === 'in place' })
}

const WAYS: Way[] = ['in place', 'by a thread']
const WRITE_FAULTS = WAYS.flatMap((way) =>
  ['ENOSPC', 'EIO', 'EDQUOT'].map((code) => [way, code] as const),
)

describe.each(WRITE_FAULTS)('31, 32: a write %s that fails with %s', (way, code) => {
  test('ends the log for good: nothing is acknowledged, everything stays readable', async () => {
    const { directory, log, entries, fileSystem, repair } = await logThatFails(
      (call) => (isCommit(call) ? { code, written: 30 } : undefined),
      way,
    )
    const appends = await Promise.allSettled(
      [11, 12, 13].map((version) => log.append(newEntry(version))),
    )
    expectWay(fileSystem, way)
    for (const append of appends) {
      expect(append).toMatchObject({ status: 'rejected', reason: failed })
      expect((append as PromiseRejectedResult).reason.message).toContain(code)
      expect((append as PromiseRejectedResult).reason.cause).toMatchObject({ code })
    }
    // The disk is well again, but what it holds isn't known: this log doesn't try.
    repair()
    fileSystem.calls.length = 0
    await expect(log.append(newEntry(11))).rejects.toMatchObject(failed)
    await expect(log.sync()).rejects.toMatchObject(failed)
    expect(fileSystem.calls).toEqual([])
    expect(describeEntries(await readAll(log))).toEqual(entries)
    await log.close()

    const again = await FileCommitLog.open(directory)
    expect(describeEntries(await readAll(again))).toEqual(entries)
    const more = describeEntries(await fill(again, 11, 12))
    expect(describeEntries(await readAll(again))).toEqual([...entries, ...more])
    await again.close()
  })
})

describe('31: a sync that fails', () => {
  test.each(WAYS)(
    'after the entry was written %s, leaves it unacknowledged, not torn',
    async (way) => {
      const { directory, log, entries, fileSystem } = await logThatFails(
        (call) => (isCommit(call) ? { code: 'EIO', written: call.bytes ?? 0 } : undefined),
        way,
      )
      await expect(log.append(newEntry(11))).rejects.toMatchObject(failed)
      expectWay(fileSystem, way)
      await log.close()
      const calls = new FaultyFileSystem()
      const again = await FileCommitLog.open(directory, { fileSystem: calls })
      const found = describeEntries(await readAll(again))
      expect(found).toEqual([...entries, ...describeEntries([newEntry(11)])])
      // Another sync would be told that all is well: the entry was written to the disk anew.
      const rewritten = calls.calls.filter(isCommit)[0] as FileCall & { position: number }
      expect(rewritten.position).toBe(48 + 10 * 76)
      await again.close()
    },
  )

  test('while space is made ahead, ends the log though no commit failed', async () => {
    const { log } = await logThatFails((call) =>
      call.call === 'syncData' ? { code: 'EIO' } : undefined,
    )
    let acknowledged = 10
    const appendUntilItFails = async () => {
      for (;;) {
        await log.append(newEntry(acknowledged + 1, new Uint8Array(100_000)))
        acknowledged++
      }
    }
    await expect(appendUntilItFails()).rejects.toMatchObject(failed)
    expect(await readAll(log)).toHaveLength(acknowledged)
    // Long before the next segment, whose sync would fail too.
    expect(acknowledged).toBeLessThan(100)
    await log.close()
  })

  test.each(WAYS)('while space is made ahead, ends a log of short commits %s too', async (way) => {
    const fileSystem = new FaultyFileSystem((call) =>
      call.call === 'syncData' && call.path.endsWith('.log') ? { code: 'EIO' } : undefined,
    )
    const log = await FileCommitLog.open(tempDirectory(), { fileSystem, env: clockFor(way) })
    // So many fit into the space that came with the segment.
    await expect(fill(log, 1, 800)).rejects.toMatchObject(failed)
    await log.close()
  })

  test('of a new segment or its directory, ends the log', async () => {
    for (const call of ['syncData', 'syncDirectory', 'rename', 'open'] as const) {
      const directory = tempDirectory()
      let armed = false
      const fileSystem = new FaultyFileSystem((at) =>
        armed && at.call === call ? { code: 'EIO' } : undefined,
      )
      const log = await FileCommitLog.open(directory, { fileSystem, segmentBytes: 4096 })
      const entries = describeEntries(await fill(log, 1, 3, 1000))
      armed = true
      await expect(log.append(newEntry(4, new Uint8Array(2000)))).rejects.toMatchObject(failed)
      expect(describeEntries(await readAll(log))).toEqual(entries)
      await log.close()
      const again = await FileCommitLog.open(directory, { segmentBytes: 4096 })
      expect(describeEntries(await readAll(again))).toEqual(entries)
      await fill(again, 4, 6, 2000)
      await again.close()
      expect(
        fs.readdirSync(path.join(directory, 'log')).every((name) => name.endsWith('.log')),
      ).toBe(true)
    }
  })
})

describe('32: a segment whose name was not made durable', () => {
  test('gets it before another writer takes it over, or that one opens not at all', async () => {
    const directory = tempDirectory()
    const failing = new FaultyFileSystem(({ call, path: at }) =>
      call === 'syncDirectory' && at.endsWith('log') ? { code: 'EIO' } : undefined,
    )
    const log = await FileCommitLog.open(directory, { fileSystem: failing })
    await expect(log.append(newEntry(1))).rejects.toMatchObject(failed)
    await log.close()
    const still = FileCommitLog.open(directory, { fileSystem: failing })
    await expect(still).rejects.toMatchObject(failed)
    const fileSystem = new FaultyFileSystem()
    const again = await FileCommitLog.open(directory, { fileSystem })
    expect(fileSystem.calls).toContainEqual({
      call: 'syncDirectory',
      path: path.join(directory, 'log'),
      inPlace: false,
    })
    await fill(again, 1, 3)
    await again.close()
    // What was closed in order is in order.
    fileSystem.calls.length = 0
    const last = await FileCommitLog.open(directory, { fileSystem })
    await last.append(newEntry(4))
    expect(fileSystem.calls.filter(({ call }) => call === 'syncDirectory')).toEqual([])
    await last.close()
  })
})

describe('a disk without room for zeros', () => {
  test('still takes commits: making space ahead is no duty', async () => {
    const { directory, log, fileSystem } = await logThatFails((call) =>
      call.call === 'write' && !call.durable ? { code: 'ENOSPC' } : undefined,
    )
    for (let version = 11; version <= 40; version++) {
      expect(await log.append(newEntry(version, new Uint8Array(20_000)))).toEqual({
        appended: true,
      })
    }
    expect(fileSystem.calls.some((call) => call.call === 'write' && !call.durable)).toBe(true)
    await log.close()
    const again = await FileCommitLog.open(directory)
    expect(await readAll(again)).toHaveLength(40)
    await again.close()
  })
})

describe('32: reading on a file system that fails', () => {
  test('is a typed error, and works again', async () => {
    const directory = tempDirectory()
    let broken = false
    const fileSystem = new FaultyFileSystem(({ call }) =>
      broken && call === 'readFile' ? { code: 'EIO' } : undefined,
    )
    const log = await FileCommitLog.open(directory, { fileSystem, segmentBytes: 4096 })
    const entries = describeEntries(await fill(log, 1, 40, 200))
    const failedSo = { ...failed, cause: { code: 'EIO' } }
    broken = true
    await expect(readAll(log)).rejects.toMatchObject(failedSo)
    await expect(log.append(newEntry(3))).rejects.toMatchObject(failedSo)
    await expect(log.truncate(30)).rejects.toMatchObject(failedSo)
    broken = false
    expect(describeEntries(await readAll(log))).toEqual(entries)
    await log.truncate(30)
    await log.close()
  })
})

describe('32: opening on a file system that fails', () => {
  test.each(['EMFILE', 'EIO', 'EACCES'])(
    'with %s is a typed error, and leaves no lock',
    async (code) => {
      const directory = tempDirectory()
      const log = await FileCommitLog.open(directory)
      const entries = describeEntries(await fill(log, 1, 3))
      await log.close()
      const broken = new FaultyFileSystem(({ path: at }) =>
        at.includes('LOCK-') ? undefined : { code },
      )
      for (const mode of ['read', 'write'] as const) {
        const open = FileCommitLog.open(directory, { mode, fileSystem: broken })
        await expect(open).rejects.toMatchObject({ ...failed, cause: { code } })
      }
      const again = await FileCommitLog.open(directory)
      expect(describeEntries(await readAll(again))).toEqual(entries)
      await again.close()
    },
  )

  test('when entries of a dead writer can not be made durable, opens not at all', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory)
    await fill(log, 1, 3)
    const image = crashImage(directory, path.join(tempDirectory(), 'image'))
    await log.close()
    const fileSystem = new FaultyFileSystem((call) =>
      isCommit(call) ? { code: 'EIO' } : undefined,
    )
    await expect(FileCommitLog.open(image, { fileSystem })).rejects.toMatchObject(failed)
    const again = await FileCommitLog.open(image)
    expect(await readAll(again)).toHaveLength(3)
    await again.close()
  })
})

describe('appends', () => {
  test('that wait for one write share the next: 64 in flight are a few writes', async () => {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem()
    const log = await FileCommitLog.open(directory, { fileSystem })
    await fill(log, 1, 1)
    fileSystem.calls.length = 0
    const versions = Array.from({ length: 640 }, (_, i) => i + 2)
    await Promise.all(versions.map((version) => log.append(newEntry(version))))
    expect(fileSystem.calls.filter(isCommit).length).toBeLessThanOrEqual(3)
    await log.close()
  })

  test('of many sizes at once come back as they were', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory, { segmentBytes: 300_000 })
    const sizes = [0, 1, 31, 32_768, 32_769, 100_000, 262_144, 300_001, 5_000_000]
    const entries = Array.from({ length: 60 }, (_, i) => {
      const size = sizes[(i * 7) % sizes.length] as number
      return newEntry(i + 1, new Uint8Array(size).fill(i))
    })
    const expected = entries.map(({ payload }) => payload.length)
    await Promise.all(entries.map((entry) => log.append(entry)))
    await log.close()
    const again = await FileCommitLog.open(directory)
    const read = await readAll(again)
    expect(read.map(({ payload }) => payload?.length)).toEqual(expected)
    expect(read.every(({ payload }, i) => payload?.every((byte) => byte === i))).toBe(true)
    await again.close()
  })

  test.each(WAYS)('are synced one by one where no flag makes writes durable, %s', async (way) => {
    const directory = tempDirectory()
    const fileSystem = makeNodeFileSystem(undefined)
    const env = clockFor(way)
    const log = await FileCommitLog.open(directory, { fileSystem, env, segmentBytes: 4096 })
    const synced = vi.spyOn(fs, way === 'in place' ? 'fdatasyncSync' : 'fdatasync')
    onTestFinished(() => synced.mockRestore())
    const entries = describeEntries(await fill(log, 1, 30, 500))
    expect(synced.mock.calls.length).toBeGreaterThan(20)
    await log.close()
    const again = await FileCommitLog.open(directory, { fileSystem })
    expect(describeEntries(await readAll(again))).toEqual(entries)
    await again.close()
  })
})

describe('truncation', () => {
  test('makes the log small, once, and costs nothing when there is nothing to do', async () => {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem()
    const log = await FileCommitLog.open(directory, { fileSystem, segmentBytes: 65_536 })
    await fill(log, 1, 300, 1000)
    const size = () => segmentPaths(directory).reduce((sum, at) => sum + fs.statSync(at).size, 0)
    const before = size()
    await log.truncate(290)
    // What is left: the active segment, and 40 bytes or less for each entry.
    expect(size()).toBeLessThan(before / 2)
    await log.truncate(300)
    expect(size()).toBeLessThan(300 * 40 + 2 * 65_536)
    fileSystem.calls.length = 0
    await log.truncate(300)
    await log.truncate(100)
    expect(fileSystem.calls).toEqual([])
    await log.close()
  })

  test('takes away what came before an entry that was said to start a segment', async () => {
    const directory = tempDirectory()
    let log = await FileCommitLog.open(directory)
    await fill(log, 1, 100, 1000)
    // Also where the segment was closed in between, and in the middle of a group.
    await log.close()
    log = await FileCommitLog.open(directory)
    await Promise.all([
      log.append(newEntry(101)),
      log.append({ ...newEntry(102), startsSegment: true }),
      log.append({ ...newEntry(103), startsSegment: true }),
    ])
    // Little came between 102 and 103: a segment each isn't worth it.
    const names = segmentPaths(directory).map((at) => Number(path.basename(at, '.log')))
    expect(names).toEqual([1, 102])
    await log.truncate(101)
    const kept = (await readAll(log)).filter(({ payload }) => payload !== undefined)
    expect(kept.map(({ version }) => version)).toEqual([102, 103])
    await log.close()
  })

  test('that fails midway leaves every entry, whole or as a tombstone', async () => {
    for (const call of ['write', 'syncData', 'rename', 'syncDirectory', 'open'] as const) {
      const directory = tempDirectory()
      let armed = false
      const fileSystem = new FaultyFileSystem((at) =>
        armed && at.call === call ? { code: 'EIO' } : undefined,
      )
      const log = await FileCommitLog.open(directory, { fileSystem, segmentBytes: 4096 })
      const tokens = (await fill(log, 1, 40, 300)).map(({ token }) => token)
      armed = true
      await expect(log.truncate(20)).rejects.toThrow()
      armed = false
      expect((await readAll(log)).map(({ token }) => token)).toEqual(tokens)
      await log.close()
      const again = await FileCommitLog.open(directory, { segmentBytes: 4096 })
      expect((await readAll(again)).map(({ token }) => token)).toEqual(tokens)
      await again.truncate(20)
      expect((await readAll(again))[0]?.payload).toBeUndefined()
      await again.close()
    }
  })
})

describe('a truncation of a part of the last segment', () => {
  const mark = (directory: string) =>
    fs.readdirSync(path.join(directory, 'log')).filter((name) => name.endsWith('.truncated'))

  test('is seen by readers, and gives its mark back when the segment is replaced', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory)
    const reader = await FileCommitLog.open(directory, { mode: 'read' })
    await fill(log, 1, 30, 20)
    const tombstones = async (of: CommitLog) =>
      (await readAll(of)).filter(({ payload }) => payload === undefined).length
    for (const through of [7, 20]) {
      await log.truncate(through)
      expect(mark(directory)).toEqual([`${String(through).padStart(20, '0')}.truncated`])
      expect(await tombstones(log)).toBe(through)
      expect(await tombstones(reader)).toBe(through)
    }
    await fill(log, 31, 130, 1000)
    await log.truncate(130)
    expect(mark(directory)).toEqual([])
    expect(await tombstones(reader)).toBe(130)
    await reader.close()
    await log.close()
  })

  test('makes no mark for a caller who only wants the space', async () => {
    const directory = tempDirectory()
    const log = await FileCommitLog.open(directory)
    await fill(log, 1, 30, 20)
    await log.truncate(20, { lazy: true })
    expect(mark(directory)).toEqual([])
    expect((await readAll(log)).every(({ payload }) => payload !== undefined)).toBe(true)
    await log.close()
  })

  test('does not hide what comes after a lost end: its entries are durable before it is marked', async () => {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem()
    const log = await FileCommitLog.open(directory, { fileSystem })
    await log.append(newEntry(1))
    await log.append({ ...newEntry(2), lazy: true })
    fileSystem.calls.length = 0
    await log.truncate(2)
    const calls = fileSystem.calls.map(({ call }) => call)
    expect(calls.indexOf('syncData')).toBeGreaterThanOrEqual(0)
    expect(calls.indexOf('syncData')).toBeLessThan(calls.indexOf('syncDirectory'))
    await log.close()
  })

  test('does not hide what is appended where a mark of another copy stands', async () => {
    const directory = tempDirectory()
    let log = await FileCommitLog.open(directory)
    await fill(log, 1, 3)
    await log.close()
    for (const version of [2, 50]) {
      const name = `${String(version).padStart(20, '0')}.truncated`
      fs.writeFileSync(path.join(directory, 'log', name), '')
    }
    log = await FileCommitLog.open(directory)
    await fill(log, 4, 60)
    const kept = (await readAll(log)).filter(({ payload }) => payload !== undefined)
    expect(kept.map(({ version }) => version)).toEqual(Array.from({ length: 58 }, (_, i) => i + 3))
    await log.close()
  })
})

describe('a reader without the lock', () => {
  test('follows a writer through segments, truncation and reopening, and changes nothing', async () => {
    const directory = tempDirectory()
    const reader = await FileCommitLog.open(directory, { mode: 'read' })
    expect(await readAll(reader)).toEqual([])
    expect(fs.readdirSync(directory)).toEqual([])
    let writer = await FileCommitLog.open(directory, { segmentBytes: 4096 })
    const written: string[] = []
    const seen: string[] = []
    for (let round = 0; round < 20; round++) {
      written.push(
        ...describeEntries(await fill(writer, written.length + 1, written.length + 5, 200)),
      )
      if (round % 4 === 3) await writer.truncate(seen.length)
      if (round % 7 === 6) {
        await writer.close()
        writer = await FileCommitLog.open(directory, { segmentBytes: 4096 })
      }
      for await (const entry of reader.readAfter(seen.length))
        seen.push(...describeEntries([entry]))
      expect(seen).toEqual(written)
    }
    await expect(reader.append(newEntry(101))).rejects.toMatchObject({
      code: 'FIRN_INVALID_ARGUMENT',
    })
    await expect(reader.truncate(1)).rejects.toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    const names = fs.readdirSync(directory, { recursive: true }).sort()
    await reader.close()
    expect(fs.readdirSync(directory, { recursive: true }).sort()).toEqual(names)
    await writer.close()
  })

  test('never takes a write that it overtakes for damage', async () => {
    const directory = tempDirectory()
    const writer = await FileCommitLog.open(directory, { segmentBytes: 100_000 })
    let writing = true
    let last = 0
    const write = async () => {
      while (writing) {
        const group = [1, 2, 3].map((i) => newEntry(last + i, new Uint8Array(100 * i)))
        last += 3
        await Promise.all(group.map((entry) => writer.append(entry)))
      }
    }
    const writes = write()
    for (let round = 0; round < 60; round++) {
      const reader = await FileCommitLog.open(directory, { mode: 'read' })
      let version = 0
      for await (const entry of reader.readAfter(0)) expect(entry.version).toBe(++version)
      await reader.close()
      await systemEnv.yield()
    }
    writing = false
    await writes
    await writer.close()
  })

  test('looks again where a later entry was read and an earlier one was not yet', async () => {
    const directory = tempDirectory()
    const writer = await FileCommitLog.open(directory)
    const entries = describeEntries(await fill(writer, 1, 6))
    // A read that passes entry 4 before it is written, and entries 5 and 6 after they are.
    let overtaken = 2
    const fileSystem = new FaultyFileSystem()
    const readFile = fileSystem.readFile.bind(fileSystem)
    fileSystem.readFile = async (...args) => {
      const bytes = await readFile(...args)
      const entry = overtaken === 0 ? undefined : 48 + (5 - overtaken) * 76
      if (entry !== undefined) bytes.fill(0, entry, entry + 76)
      if (overtaken > 0) overtaken--
      return bytes
    }
    const reader = await FileCommitLog.open(directory, { mode: 'read', fileSystem })
    expect(describeEntries(await readAll(reader))).toEqual(entries)
    // The same place twice is damage.
    fileSystem.readFile = async (...args) => {
      const bytes = await readFile(...args)
      bytes.fill(0, 48 + 2 * 76, 48 + 3 * 76)
      return bytes
    }
    await expect(readAll(reader)).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
    await reader.close()
    await writer.close()
  })
})

describe('a file system that can’t sync directories', () => {
  for (const code of ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF', 'EISDIR', 'EPERM']) {
    test(`keeps a log all the same, with one warning: ${code}`, async () => {
      const directory = tempDirectory()
      const warnings: string[] = []
      const fileSystem = new FaultyFileSystem(({ call }) =>
        call === 'syncDirectory' ? { code } : undefined,
      )
      const onWarning = (message: string) => warnings.push(message)
      const log = await FileCommitLog.open(directory, { fileSystem, segmentBytes: 4096, onWarning })
      await fill(log, 1, 30, 500)
      await log.truncate(20)
      await log.close()
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain(directory)
      expect(warnings[0]).toContain(code)
      const again = await FileCommitLog.open(directory)
      expect(await readAll(again)).toHaveLength(30)
      await again.close()
    })
  }

  test('is told from one that fails to, whose directory and reason are named', async () => {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem(({ call }) =>
      call === 'syncDirectory' ? { code: 'ENOSPC' } : undefined,
    )
    const log = await FileCommitLog.open(directory, { fileSystem })
    const error = await log.append(newEntry(1)).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'FIRN_LOG_FAILED', cause: { code: 'ENOSPC' } })
    expect((error as Error).message).toMatch(/ENOSPC.*make room/)
    expect((error as Error).message).toContain(directory)
    await log.close()
  })
})
