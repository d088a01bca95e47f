import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { LONG, tempDirectory } from '@firn/test-support'
import { type FileSystem, nodeFileSystem } from '@firn/vfs'
import { FaultyFileSystem, type FileCallKind } from '@firn/vfs/testing'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { DiskCache, type DiskCacheOptions } from '../src/disk.js'
import { encodeHeader } from '../src/internal/disk/entry-format.js'

const FILE = '12-01ARZ3NDEKTSV4RRFFQ69G5FAV'
const HEADER = 24
const golden = new URL('golden/entry.hex', import.meta.url)

let directory: string
beforeEach(() => {
  directory = tempDirectory()
})

function open(more: Partial<DiskCacheOptions> = {}): DiskCache {
  return new DiskCache({ directory, bytes: 100_000, env: new TestEnv(), ...more })
}

const content = (seed: number, length = 100) =>
  Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7) & 255)

async function entryPaths(): Promise<string[]> {
  const all = await readdir(directory, { recursive: true, withFileTypes: true })
  return all
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))
    .sort()
}

/** Real files, except if a fault is due. */
function faulty(fault: (call: FileCallKind) => string | undefined): FileSystem {
  return new FaultyFileSystem(({ call }) => {
    const code = fault(call)
    return code === undefined ? undefined : { code }
  })
}

describe('DiskCache', () => {
  test('gives back what was put, and nothing else', async () => {
    const cache = open()
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    await cache.put(FILE, 0, content(1))
    await cache.put(FILE, 100, content(2))
    await cache.put('other', 0, content(3))
    expect(await cache.get(FILE, 0, 100)).toEqual(content(1))
    expect(await cache.get(FILE, 100, 100)).toEqual(content(2))
    expect(await cache.get('other', 0, 100)).toEqual(content(3))
    expect(await cache.get(FILE, 50, 10)).toBeUndefined()
    expect(await cache.get(FILE, 0, 101)).toBeUndefined()
    expect(await cache.get(FILE, 0, 40)).toEqual(content(1).slice(0, 40))
    expect(cache.stats()).toMatchObject({ hits: 4, misses: 3, writes: 3, entries: 3, damaged: 0 })
  })

  test('keeps a longer range in place of a shorter one', async () => {
    const cache = open()
    await cache.put(FILE, 0, content(1, 50))
    await cache.put(FILE, 0, content(1, 100))
    await cache.put(FILE, 0, content(1, 20))
    expect(await cache.get(FILE, 0, 100)).toEqual(content(1, 100))
    expect((await entryPaths()).length).toBe(1)
  })

  test('survives a restart, and cleans up what a crash left', async () => {
    const before = open()
    for (let i = 0; i < 5; i++) await before.put(FILE, i * 100, content(i))
    await before.put('some/../other file', 7, content(9))
    await before.close()
    await writeFile(join(directory, 'tmp-01ARZ3NDEKTSV4RRFFQ69G5FAV'), 'half')
    await writeFile(join(directory, 'not ours'), 'kept')
    const after = open()
    for (let i = 0; i < 5; i++) expect(await after.get(FILE, i * 100, 100)).toEqual(content(i))
    expect(await after.get('some/../other file', 7, 100)).toEqual(content(9))
    expect(after.stats()).toMatchObject({ entries: 6, usedBytes: 6 * (100 + HEADER) })
    expect((await readdir(directory)).sort()).toEqual([
      `f-${FILE}`,
      'not ours',
      expect.stringMatching(/^x-[0-9a-f]+$/),
    ])
  })

  test('stays within its budget, lets the oldest go, and gives used entries a second chance', async () => {
    const size = 100 + HEADER
    const cache = open({ bytes: 4 * size })
    for (let i = 0; i < 4; i++) await cache.put(FILE, i, content(i))
    await cache.get(FILE, 0, 100)
    await cache.put(FILE, 4, content(4))
    expect(await cache.get(FILE, 0, 100)).toEqual(content(0))
    expect(await cache.get(FILE, 1, 100)).toBeUndefined()
    for (let i = 5; i < 60; i++) await cache.put(FILE, i, content(i))
    expect((await entryPaths()).length).toBe(4)
    expect(cache.stats()).toMatchObject({ usedBytes: 4 * size, evictions: 56 })
    await cache.put(FILE, 99, content(0, 4 * size))
    expect(await cache.get(FILE, 99, 1)).toBeUndefined()
    const smaller = open({ bytes: 2 * size })
    await smaller.get(FILE, 0, 1)
    expect((await entryPaths()).length).toBe(2)
  })

  test('makes room for an entry among the others, also where those were used', async () => {
    const cache = open({ bytes: 2 * (100 + HEADER) })
    await cache.put(FILE, 0, content(1))
    await cache.get(FILE, 0, 100)
    await cache.put(FILE, 100, content(2, 200))
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    expect(await cache.get(FILE, 100, 200)).toEqual(content(2, 200))
    expect(cache.stats()).toMatchObject({ entries: 1, evictions: 1 })
  })

  test('stays within its budget where several entries are written at a time', async () => {
    const files = { ...nodeFileSystem }
    const cache = open({ bytes: 2 * (100 + HEADER), fileSystem: files })
    let most = 0
    files.rename = async (from, to) => {
      await nodeFileSystem.rename(from, to)
      most = Math.max(most, (await entryPaths()).length)
    }
    await cache.put(FILE, 0, content(0))
    await Promise.all([1, 2, 3, 4].map((i) => cache.put(FILE, i * 100, content(i))))
    expect(most).toBe(2)
    expect(cache.stats()).toMatchObject({ entries: 2, writes: 3, failedWrites: 2, evictions: 1 })
    // Nothing is wrong with the disk: it isn't left alone for a while.
    await cache.put(FILE, 500, content(5))
    expect(await cache.get(FILE, 500, 100)).toEqual(content(5))
  })

  test('forgets a file', async () => {
    const cache = open()
    await cache.put(FILE, 0, content(1))
    await cache.put('OTHER', 0, content(2))
    const late = cache.put(FILE, 100, content(3))
    await Promise.all([cache.evictFile(FILE), late])
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    expect(await cache.get(FILE, 100, 100)).toBeUndefined()
    expect(await cache.get('OTHER', 0, 100)).toEqual(content(2))
    expect(await readdir(directory)).toEqual(['f-OTHER'])
  })

  test('replaces what turned out to be wrong, also what is just being written', async () => {
    const cache = open()
    await cache.put(FILE, 0, content(1))
    await cache.put(FILE, 0, content(2))
    expect(await cache.get(FILE, 0, 100)).toEqual(content(1))
    await cache.put(FILE, 0, content(2), { replace: true })
    expect(await cache.get(FILE, 0, 100)).toEqual(content(2))
    await Promise.all([
      cache.put(FILE, 100, content(3)),
      cache.put(FILE, 100, content(4), { replace: true }),
      cache.put(FILE, 100, content(3)),
    ])
    expect(await cache.get(FILE, 100, 100)).toEqual(content(4))
    await cache.put(FILE, 0, content(5, 40), { replace: true })
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    expect(await cache.get(FILE, 0, 40)).toEqual(content(5, 40))
    expect(cache.stats()).toMatchObject({ entries: 2, usedBytes: 140 + 2 * HEADER })
    expect((await entryPaths()).length).toBe(2)
  })

  test('does not take a new entry away because a read of the old one came too late', async () => {
    let fail = (): void => {}
    const late = new Promise<never>((_, reject) => {
      fail = () => reject(new Error('ENOENT'))
    })
    let reads = 0
    const files: FileSystem = {
      ...nodeFileSystem,
      readFile: (...args) => (reads++ === 0 ? late : nodeFileSystem.readFile(...args)),
    }
    const cache = open({ fileSystem: files })
    await cache.put(FILE, 0, content(1))
    const read = cache.get(FILE, 0, 100)
    await cache.put(FILE, 0, content(2), { replace: true })
    fail()
    expect(await read).toBeUndefined()
    expect(await cache.get(FILE, 0, 100)).toEqual(content(2))
    expect(cache.stats()).toMatchObject({ damaged: 0, entries: 1 })
  })

  test('29: is without what was wrong where the disk can’t take its replacement', async () => {
    let full = false
    const files = faulty((call) => (full && call === 'createFile' ? 'ENOSPC' : undefined))
    const cache = open({ fileSystem: files })
    await cache.put(FILE, 0, content(1))
    await cache.put(FILE, 100, content(1))
    full = true
    await cache.put(FILE, 0, content(2), { replace: true })
    await cache.put(FILE, 100, content(2), { replace: true }) // The disk is left alone by now.
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    expect(await cache.get(FILE, 100, 100)).toBeUndefined()
    expect(await entryPaths()).toEqual([])
  })

  test('forgets everything', async () => {
    const cache = open()
    await cache.put(FILE, 0, content(1))
    await cache.put(FILE, 100, content(2))
    const late = cache.put('some/other file', 0, content(3))
    await writeFile(join(directory, 'not ours'), 'kept')
    await Promise.all([cache.clear(), late])
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    expect(cache.stats()).toMatchObject({ entries: 0, usedBytes: 0 })
    expect(await readdir(directory)).toEqual(['not ours'])
    await cache.put(FILE, 0, content(1))
    expect(await cache.get(FILE, 0, 100)).toEqual(content(1))
  })

  test('29: misses and removes an entry of which any bit is flipped', async () => {
    const cache = open()
    await cache.put(FILE, 4096, content(1, 20))
    const [path = ''] = await entryPaths()
    const sound = await readFile(path)
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const flipped = Uint8Array.from(sound)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await cache.put(FILE, 4096, content(1, 20))
      await writeFile(path, flipped)
      expect(await cache.get(FILE, 4096, 20)).toBeUndefined()
    }
    expect(cache.stats()).toMatchObject({ entries: 0, damaged: sound.length * 8 })
    expect(await entryPaths()).toEqual([])
  })

  test('29: misses an entry that is truncated, empty, gone or a directory', async () => {
    const cache = open()
    const broken: ((path: string) => Promise<unknown>)[] = [
      (path) => truncate(path, 0),
      (path) => truncate(path, HEADER),
      (path) => truncate(path, HEADER + 99),
      (path) => rm(path),
      (path) => rm(path).then(() => mkdir(path)),
    ]
    for (const damage of broken) {
      await cache.put(FILE, 0, content(1))
      await damage((await entryPaths())[0] ?? '')
      expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    }
    await cache.put(FILE, 0, content(1))
    expect(await cache.get(FILE, 0, 100)).toEqual(content(1))
  })

  test('29: misses the right bytes in the wrong place', async () => {
    const cache = open()
    await cache.put(FILE, 0, content(1))
    await cache.put(FILE, 500, content(2))
    const [first = '', second = ''] = await entryPaths()
    await writeFile(first, await readFile(second))
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    await cache.put('OTHER', 500, content(3))
    const other = (await entryPaths()).find((path) => path.includes('OTHER')) ?? ''
    await writeFile(second, await readFile(other))
    expect(await cache.get(FILE, 500, 100)).toBeUndefined()
  })

  test('40: takes no memory for an entry that is longer by its name than by its bytes', async () => {
    const before = open({ bytes: 2 ** 31 })
    await before.put(FILE, 0, content(1))
    const [path = ''] = await entryPaths()
    await rename(path, join(path, '../0-3fffffff'))
    const cache = open({ bytes: 2 ** 31 })
    expect(cache.stats().entries).toBe(0)
    const { arrayBuffers } = process.memoryUsage()
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(64 * 1024 * 1024)
    expect(cache.stats().damaged).toBe(1)
  })

  test('29: never rejects and never gives what was not put, whatever is in its directory', async () => {
    const names = fc.oneof(
      fc.constantFrom(
        '0-64',
        '64-64',
        '0-0',
        '00-64',
        '-1-64',
        '0-ffffffff',
        'fffffffffffff-1',
        'x',
      ),
      fc.stringMatching(/^[0-9a-f]{1,14}-[0-9a-f]{1,8}$/),
    )
    const folders = fc.constantFrom(`f-${FILE}`, 'x-00', 'x-zz', 'f-', 'f-..', 'tmp-1', 'other')
    const sound = Uint8Array.from([...encodeHeader(FILE, 0, content(1)), ...content(1)])
    const change = fc.record({ at: fc.nat(sound.length - 1), byte: fc.nat(255) })
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(change, { maxLength: 3 }).map((changes) => {
        const copy = sound.slice()
        for (const { at, byte } of changes) copy[at] = byte
        return copy
      }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(folders, names, bytes), { maxLength: 5 }),
        async (found) => {
          await rm(directory, { recursive: true, force: true })
          for (const [folder, name, content] of found) {
            await mkdir(join(directory, folder), { recursive: true })
            await writeFile(join(directory, folder, name), content)
          }
          const cache = open()
          for (const [offset, length] of [
            [0, 100],
            [0, 10],
            [100, 100],
          ] as const) {
            const got = await cache.get(FILE, offset, length)
            if (got !== undefined) expect(got).toEqual(content(1).slice(0, length))
          }
          await cache.put(FILE, 100, content(2))
          expect(await cache.get(FILE, 100, 100)).toEqual(content(2))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('29: misses where the directory is a file, or can’t be read or made', async () => {
    const path = join(directory, 'file')
    await writeFile(path, 'in the way')
    const inTheWay = open({ directory: path })
    await inTheWay.put(FILE, 0, content(1))
    expect(await inTheWay.get(FILE, 0, 100)).toBeUndefined()
    await inTheWay.evictFile(FILE)
    await inTheWay.close()

    const earlier = open()
    await earlier.put(FILE, 0, content(1))
    const unreadable = open({ fileSystem: faulty(() => 'EACCES') })
    await unreadable.put(FILE, 0, content(1))
    expect(await unreadable.get(FILE, 0, 100)).toBeUndefined()
    await unreadable.evictFile(FILE)
    await unreadable.close()
  })

  test.each([
    ['createFile', 'ENOSPC'],
    ['createFile', 'EMFILE'],
    ['rename', 'EIO'],
    ['makeDirectories', 'EROFS'],
  ] as const)(
    '29: is without the entry when %s fails with %s, and leaves the disk alone for a while',
    async (call, code) => {
      const env = new TestEnv()
      let failing = true
      let calls = 0
      const files = faulty((now) => {
        if (now === call) calls++
        return failing && now === call ? code : undefined
      })
      const cache = open({ fileSystem: files, env })
      await cache.put(FILE, 0, content(1))
      await cache.put(FILE, 100, content(2))
      expect(calls).toBe(1)
      expect(await cache.get(FILE, 0, 100)).toBeUndefined()
      expect(cache.stats()).toMatchObject({ entries: 0, usedBytes: 0, failedWrites: 2 })
      expect(await entryPaths()).toEqual([])
      failing = false
      env.advance(5000)
      await cache.put(FILE, 0, content(1))
      expect(await cache.get(FILE, 0, 100)).toEqual(content(1))
    },
  )

  test('never rejects and never lies, whatever calls fail and however they overlap', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('put' as const),
        file: fc.integer({ min: 0, max: 2 }),
        offset: fc.integer({ min: 0, max: 5 }),
        replace: fc.boolean(),
      }),
      fc.record({
        do: fc.constant('get' as const),
        file: fc.integer({ min: 0, max: 2 }),
        offset: fc.integer({ min: 0, max: 5 }),
      }),
      fc.record({ do: fc.constant('evict' as const), file: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ do: fc.constant('wait' as const) }),
      fc.record({ do: fc.constant('reopen' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        async (steps, faults) => {
          const home = await mkdtemp(join(directory, 'run-'))
          const env = new TestEnv()
          let call = 0
          const files = faulty(() => (faults[call++ % faults.length] ? undefined : 'EIO'))
          const options = { directory: home, bytes: 10 * 124, env, fileSystem: files }
          let cache = open(options)
          let under: Promise<unknown>[] = []
          const settle = async () => {
            await Promise.all(under)
            under = []
            expect(cache.stats().usedBytes).toBeLessThanOrEqual(10 * 124)
          }
          for (const now of steps) {
            env.advance(2000)
            if (now.do === 'put') {
              const bytes = content(now.file * 7 + now.offset)
              under.push(cache.put(`F${now.file}`, now.offset, bytes, { replace: now.replace }))
            } else if (now.do === 'get') {
              under.push(
                cache.get(`F${now.file}`, now.offset, 100).then((got) => {
                  if (got !== undefined) expect(got).toEqual(content(now.file * 7 + now.offset))
                }),
              )
            } else if (now.do === 'evict') under.push(cache.evictFile(`F${now.file}`))
            else await settle()
            if (now.do === 'reopen') {
              await cache.close()
              cache = open(options)
            }
          }
          await settle()
          await cache.close()
          await rm(home, { recursive: true })
        },
      ),
      { numRuns: LONG ? 2000 : 100 },
    )
  })

  test('accounts for every file that it leaves behind', async () => {
    const cache = open({ bytes: 5 * 124 })
    await Promise.all(Array.from({ length: 30 }, (_, i) => cache.put(`F${i % 3}`, i, content(i))))
    await Promise.all([
      cache.evictFile('F0'),
      cache.put('F0', 1000, content(1)),
      cache.put('F1', 0, content(2)),
    ])
    await cache.close()
    const { entries, usedBytes } = cache.stats()
    expect((await entryPaths()).length).toBe(entries)
    expect(usedBytes).toBe(entries * 124)
  })

  test('keeps what is put into a file while the file is being evicted', async () => {
    let [release, reached] = [(): void => {}, (): void => {}]
    const isReached = new Promise<void>((resolve) => {
      reached = resolve
    })
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      removeAll: async (path) => {
        reached()
        await released
        await nodeFileSystem.removeAll(path)
      },
    }
    const cache = open({ fileSystem })
    await cache.put(FILE, 0, content(1))
    const evicting = cache.evictFile(FILE)
    await isReached
    const putting = cache.put(FILE, 1000, content(2))
    // Enough for the put, if it didn't wait for the eviction.
    for (let i = 0; i < 20; i++) await readdir(directory)
    release()
    await Promise.all([evicting, putting])
    expect(await cache.get(FILE, 0, 100)).toBeUndefined()
    expect(await cache.get(FILE, 1000, 100)).toEqual(content(2))
    expect(cache.stats()).toMatchObject({ entries: 1, damaged: 0 })
  })

  test('writes the bytes that FORMAT.md says', async () => {
    const cache = open()
    await cache.put(FILE, 4096, new TextEncoder().encode('firn'))
    const [path = ''] = await entryPaths()
    expect(path.endsWith(`f-${FILE}/1000-4`)).toBe(true)
    const hex = (await readFile(path)).toString('hex')
    if (process.env.FIRN_UPDATE_GOLDEN) await writeFile(golden, `${hex}\n`)
    expect(`${hex}\n`).toBe(await readFile(golden, 'utf8'))
  })

  test('refuses what is no directory and no budget', () => {
    expect(() => open({ directory: '' })).toThrow(InvalidArgumentError)
    expect(() => open({ bytes: -1 })).toThrow(InvalidArgumentError)
  })
})
