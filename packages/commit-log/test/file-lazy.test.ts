import fs from 'node:fs'
import { tempDirectory } from '@firn/test-support'
import { FaultyFileSystem, type FileCall } from '@firn/vfs/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import { crashImage, readAll } from './file-log.js'
import { newEntry } from './fixtures.js'

let directory: string

beforeEach(() => {
  directory = tempDirectory()
})

const lazy = (version: number, bytes = 500) => ({
  ...newEntry(version, new Uint8Array(bytes).fill(version)),
  lazy: true,
})

/** Whether a power cut after these calls could lose a byte of a segment that was written. */
function isAtRisk(calls: readonly FileCall[]): boolean {
  let unsynced = false
  for (const call of calls) {
    if (call.call === 'write' && !call.durable && (call.bytes ?? 0) < 65_536) unsynced = true
    if (call.call === 'syncData') unsynced = false
  }
  return unsynced
}

async function openLog(fault?: (call: FileCall) => { code: string } | undefined) {
  const fileSystem = new FaultyFileSystem(fault)
  const log = await FileCommitLog.open(directory, { fileSystem })
  await log.append(newEntry(1))
  fileSystem.calls.length = 0
  return { log, fileSystem }
}

describe('lazy appends', () => {
  test('are written without a sync, and are there when only the process dies', async () => {
    const { log, fileSystem } = await openLog()
    for (let version = 2; version <= 5; version++) await log.append(lazy(version))
    expect(fileSystem.calls.some((call) => call.call === 'write' && call.durable)).toBe(false)
    const image = crashImage(directory, `${directory}-image`)
    try {
      const again = await FileCommitLog.open(image)
      expect((await readAll(again)).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5])
      await again.close()
    } finally {
      fs.rmSync(image, { recursive: true })
      await log.close()
    }
  })

  test('are durable with the next append that is not lazy', async () => {
    const { log, fileSystem } = await openLog()
    await log.append(lazy(2))
    await log.append(lazy(3))
    await log.append(newEntry(4))
    expect(isAtRisk(fileSystem.calls)).toBe(false)
    // From then on durable writes are as quick as ever.
    fileSystem.calls.length = 0
    await log.append(newEntry(5))
    expect(fileSystem.calls).toMatchObject([{ call: 'write', durable: true }])
    await log.close()
  })

  test('are durable after sync, those of the same turn too; then it costs nothing', async () => {
    const { log, fileSystem } = await openLog()
    const appends = [2, 3, 4].map((version) => log.append(lazy(version)))
    await log.sync()
    expect(isAtRisk(fileSystem.calls)).toBe(false)
    await Promise.all(appends)
    fileSystem.calls.length = 0
    await log.sync()
    expect(fileSystem.calls).toEqual([])
    await log.close()
  })

  test('are durable before another segment begins, and at close', async () => {
    const { log, fileSystem } = await openLog()
    await log.append(lazy(2, 100_000))
    await log.append({ ...lazy(3), startsSegment: true })
    const opened = fileSystem.calls.findIndex(({ call }) => call === 'open')
    const synced = fileSystem.calls.findIndex(({ call }) => call === 'syncData')
    expect(synced).toBeGreaterThanOrEqual(0)
    expect(synced).toBeLessThan(opened)
    await log.close()
    expect(isAtRisk(fileSystem.calls)).toBe(false)
    const again = await FileCommitLog.open(directory)
    expect((await readAll(again)).map(({ version }) => version)).toEqual([1, 2, 3])
    await again.close()
  })

  test('whose sync fails end the log: nothing after them is said to be durable', async () => {
    let failing = false
    const { log } = await openLog((call) =>
      call.call === 'syncData' && failing ? { code: 'EIO' } : undefined,
    )
    await log.append(lazy(2))
    failing = true
    await expect(log.sync()).rejects.toMatchObject({ code: 'FIRN_LOG_FAILED' })
    failing = false
    await expect(log.sync()).rejects.toMatchObject({ code: 'FIRN_LOG_FAILED' })
    await expect(log.append(newEntry(3))).rejects.toMatchObject({ code: 'FIRN_LOG_FAILED' })
    await log.close()
  })
})
