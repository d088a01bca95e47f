import { crc32, utf8Encode } from '@firn/bytes'
import { CorruptionError, FormatVersionError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { type ListOptions, MemoryObjectStore, MeteredObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { FaultyObjectStore } from '@firn/object-store/testing'
import { tempDirectory } from '@firn/test-support'
import { FaultyFileSystem } from '@firn/vfs/testing'
import { describe, expect, test } from 'vitest'
import {
  appendSettled,
  type CommitLog,
  entryAtTime,
  logEntryKey,
  ObjectCommitLog,
  ObjectLeases,
  type ReadLogOptions,
} from '../src/index.js'
import { collect, INCARNATION, newEntry } from './fixtures.js'

async function fill(log: CommitLog, from: number, to: number): Promise<void> {
  for (let version = from; version <= to; version++) await log.append(newEntry(version))
}

/** Requests that some work makes, by kind, leaving out those that it makes none of. */
async function requests(
  store: MeteredObjectStore,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  store.reset()
  await work()
  const { kinds } = store.reset()
  const made: Record<string, number> = {}
  for (const [kind, { requests }] of Object.entries(kinds)) if (requests > 0) made[kind] = requests
  return made
}

describe('the log on an object store', () => {
  test('makes the requests that it must, and no more', async () => {
    const store = new MeteredObjectStore(new MemoryObjectStore())
    const log = new ObjectCommitLog(store, INCARNATION)
    expect(await requests(store, () => fill(log, 1, 40))).toEqual({ put: 40 })
    // Opening: one list for the whole tail, one read for each entry.
    expect(await requests(store, () => collect(log.readAfter(0)))).toEqual({ list: 1, get: 40 })
    // Refreshing: one read that finds nothing, or one for each entry and one for the end.
    expect(await requests(store, () => collect(log.readAfter(40)))).toEqual({ get: 1 })
    expect(await requests(store, () => collect(log.readAfter(38)))).toEqual({ get: 3 })
    expect(await requests(store, () => collect(log.readAfter(30)))).toEqual({ list: 1, get: 10 })
    expect(await requests(store, () => collect(log.readAfter(30, { limit: 1 })))).toEqual({
      get: 1,
    })
    // Losing: the put, and the winner.
    expect(await requests(store, () => log.append(newEntry(40, 'late', 1)))).toEqual({
      put: 1,
      get: 1,
    })
    const newest = { version: 40, timestamp: newEntry(40).timestamp }
    const search = () => entryAtTime(log, newEntry(33).timestamp, { newest })
    expect(await requests(store, search)).toEqual({ get: 3 })
    // Truncating: a search on the first call, one read and one put for each entry.
    const first = await requests(store, () => log.truncate(20))
    expect(first['put']).toBe(20)
    expect(await requests(store, () => log.truncate(20))).toEqual({})
    expect(await requests(store, () => log.truncate(21))).toEqual({ get: 1, put: 1 })
    const other = new ObjectCommitLog(store, INCARNATION)
    expect((await requests(store, () => other.truncate(22)))['put']).toBe(1)
  })

  test('40: refuses an entry of no possible time, though its checksums are right', async () => {
    for (const timestamp of [0, 2 ** 53, 2 ** 63]) {
      const store = new MemoryObjectStore()
      const key = logEntryKey(INCARNATION, 1)
      await new ObjectCommitLog(store, INCARNATION).append(newEntry(1))
      const { bytes } = await store.get(key)
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      view.setBigUint64(24, BigInt(timestamp), true)
      view.setUint32(52, crc32(bytes.subarray(0, 52), crc32(utf8Encode(key))), true)
      await store.put(key, bytes)
      const log = new ObjectCommitLog(store, INCARNATION)
      await expect(collect(log.readAfter(0))).rejects.toThrow(CorruptionError)
    }
  })

  test('42: ends many reads with the reason of one signal, which Node finds nothing wrong with', async () => {
    const memory = new MemoryObjectStore()
    await fill(new ObjectCommitLog(memory, INCARNATION), 1, 40)
    const caller = new AbortController()
    const reason = new Error('changed my mind')
    let reads = 0
    const store = new FaultyObjectStore(memory, ({ operation }) => {
      if (operation !== 'get') return undefined
      if (++reads === 16) setImmediate(() => caller.abort(reason))
      return { kind: 'hang' }
    })
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const log = new ObjectCommitLog(store, INCARNATION)
    await expect(collect(log.readAfter(0, { signal: caller.signal }))).rejects.toBe(reason)
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  test('14: takes no entry for missing that was created while the log was listed', async () => {
    const memory = new MemoryObjectStore()
    await fill(new ObjectCommitLog(memory, INCARNATION), 1, 20)
    let overtaken: readonly number[] = [7, 20]
    // A list that had passed the place of some entries before they were created, and found later
    // ones.
    const store = Object.assign(Object.create(memory) as MemoryObjectStore, {
      get: memory.get.bind(memory),
      async *list(options: ListOptions) {
        const left = overtaken.map((version) => logEntryKey(INCARNATION, version))
        for await (const info of memory.list(options)) if (!left.includes(info.key)) yield info
      },
    })
    const read = async (options: ReadLogOptions = {}) => {
      const entries = await collect(new ObjectCommitLog(store, INCARNATION).readAfter(0, options))
      return entries.map(({ version }) => version)
    }
    const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
    expect(await read()).toEqual(upTo(19))
    expect(await read({ limit: 10 })).toEqual(upTo(10))
    overtaken = [1, 2, 3, 19]
    expect(await read()).toEqual(upTo(20))
    await memory.delete(logEntryKey(INCARNATION, 7))
    await expect(read()).rejects.toThrow('entry 7 is missing')
    await memory.delete([1, 2, 3, 19].map((version) => logEntryKey(INCARNATION, version)))
    await expect(read()).rejects.toThrow('entry 1 is missing')
  })

  test('finishes a truncation that was broken off', async () => {
    const store = new MemoryObjectStore()
    const log = new ObjectCommitLog(store, INCARNATION)
    await fill(log, 1, 60)
    await log.truncate(30)
    // One of the last window had not been replaced yet.
    const key = logEntryKey(INCARNATION, 20)
    const scratch = new MemoryObjectStore()
    const donor = new ObjectCommitLog(scratch, INCARNATION)
    await fill(donor, 1, 20)
    await store.put(key, (await scratch.get(key)).bytes)
    await new ObjectCommitLog(store, INCARNATION).truncate(35)
    const kept = (await collect(log.readAfter(0))).filter(({ payload }) => payload !== undefined)
    expect(kept[0]?.version).toBe(36)
  })

  test('has every bit of an entry under a checksum, and its key too', async () => {
    const store = new MemoryObjectStore()
    const log = new ObjectCommitLog(store, INCARNATION)
    await fill(log, 1, 2)
    const key = logEntryKey(INCARNATION, 1)
    const { bytes } = await store.get(key)
    const read = () => collect(new ObjectCommitLog(store, INCARNATION).readAfter(0))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice()
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
      await store.put(key, damaged)
      await expect(read()).rejects.toThrow(CorruptionError)
    }
    for (let length = 0; length < bytes.length; length++) {
      await store.put(key, bytes.subarray(0, length))
      await expect(read()).rejects.toThrow(CorruptionError)
    }
    await store.put(key, (await store.get(logEntryKey(INCARNATION, 2))).bytes)
    await expect(read()).rejects.toThrow(CorruptionError)
    await store.put(key, bytes)
    expect(await read()).toHaveLength(2)
  })

  test('37: refuses entries of a newer format', async () => {
    const { crc32, utf8Encode } = await import('@firn/bytes')
    const store = new MemoryObjectStore()
    const log = new ObjectCommitLog(store, INCARNATION)
    await fill(log, 1, 1)
    const key = logEntryKey(INCARNATION, 1)
    const { bytes } = await store.get(key)
    bytes[8] = 2
    const checksum = crc32(bytes.subarray(0, 52), crc32(utf8Encode(key)))
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(52, checksum, true)
    await store.put(key, bytes)
    await expect(collect(log.readAfter(0))).rejects.toThrow(FormatVersionError)
  })

  test('10: of a database made again under its name is another log', async () => {
    const store = new MemoryObjectStore()
    const old = new ObjectCommitLog(store, INCARNATION)
    await fill(old, 1, 3)
    const fresh = new ObjectCommitLog(store, INCARNATION.replace('FN', 'FM'))
    expect(await collect(fresh.readAfter(0))).toEqual([])
    await fill(old, 4, 4)
    expect(await collect(fresh.readAfter(0))).toEqual([])
  })
})

describe('a disk that is full, or read-only', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR']) {
    test(`fails a commit at once, with its cause and its path: ${code}`, async () => {
      const directory = tempDirectory()
      let isBroken = false
      const store = new FsObjectStore(directory, {
        fileSystem: new FaultyFileSystem(({ call }) =>
          isBroken && call === 'write' ? { code } : undefined,
        ),
      })
      const log = new ObjectCommitLog(store, INCARNATION)
      await log.append(newEntry(1))
      isBroken = true
      // A clock that nobody moves: there is nothing to wait for.
      const commit = appendSettled(log, newEntry(2), { env: new TestEnv() })
      await expect(commit).rejects.toMatchObject({
        code: 'FIRN_OBJECT_STORE',
        maybeDone: false,
        message: expect.stringContaining(directory),
        cause: { code },
      })
      const leases = new ObjectLeases(store, INCARNATION)
      await expect(leases.acquire('flush', { durationMs: 1000 })).rejects.toMatchObject({
        cause: { code },
      })
      isBroken = false
      expect(await appendSettled(log, newEntry(2))).toEqual({ appended: true })
      await store.close()
    })
  }
})
