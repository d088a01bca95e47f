import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { TestEnv } from '@firn/env/testing'
import { tempDirectory } from '@firn/test-support'
import { nodeFileSystem } from '@firn/vfs'
import { FaultyFileSystem, type FileCallKind } from '@firn/vfs/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { FsObjectStore, type FsObjectStoreOptions } from '../src/fs.js'
import type { ListOptions } from '../src/index.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const open: FsObjectStore[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

/** A store whose clock stands still unless told otherwise: no read ever seems slow. */
function openStore(directory: string, options: FsObjectStoreOptions = {}): FsObjectStore {
  const store = new FsObjectStore(directory, { env: new TestEnv(), ...options })
  open.push(store)
  return store
}

/** Every file below a directory, temporary ones included. */
async function filesOf(directory: string): Promise<string[]> {
  const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort()
}

function failing(code: string): Error {
  return Object.assign(new Error(`injected ${code}`), { code })
}

async function keysOf(store: FsObjectStore, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list({ prefix })) keys.push(key)
  return keys
}

describe('FsObjectStore', () => {
  test('reads a directory that does not exist as an empty store, and makes none', async () => {
    const parent = tempDirectory()
    const store = openStore(path.join(parent, 'db'))
    await expect(store.get('a')).rejects.toMatchObject({ code: 'FIRN_OBJECT_NOT_FOUND' })
    expect(await store.head('sst/a')).toBeUndefined()
    expect(await keysOf(store)).toEqual([])
    await store.delete(['a', 'b'])
    await store.delete('a')
    expect(await fs.readdir(parent)).toEqual([])
    expect(store.directory).toBe(path.join(parent, 'db'))
  })

  test('keeps what was written for the next store on the directory, under plain names', async () => {
    const directory = tempDirectory()
    const key = 'sst/01HZX3V5Q6W7E8R9T0Y1A2S3D4/00000000000000000001-01HZX3V5Q6W7E8R9T0Y1A2S3D5.sst'
    const first = openStore(directory)
    const { etag } = await first.put(key, bytes('content'))
    await first.put('FIRN', bytes('root'))
    await first.close()
    const second = openStore(first.directory)
    expect(await second.get(key)).toMatchObject({ etag, bytes: bytes('content') })
    expect(await filesOf(directory)).toEqual(['FIRN', path.normalize(key)])
  })

  test('passes over files that are not its own', async () => {
    const directory = tempDirectory()
    const store = openStore(directory)
    await store.put('log/00000000000000000001', bytes('mine'))
    for (const name of ['LOCK-0', 'Thumbs.db', 'log/nöte.txt', ',tmp/stranger', ',lock/stranger']) {
      await fs.mkdir(path.dirname(path.join(directory, name)), { recursive: true })
      await fs.writeFile(path.join(directory, name), 'x')
    }
    expect(await keysOf(store)).toEqual(['log/00000000000000000001'])
    await store.put('log/00000000000000000001', bytes('again'))
  })

  test('reads only the directories that a list needs', async () => {
    const read: string[] = []
    const directory = tempDirectory()
    const store = openStore(directory, {
      fsync: false,
      fileSystem: new FaultyFileSystem(({ call, path: name }) => {
        if (call === 'list') read.push(path.relative(directory, name) || '.')
        return undefined
      }),
    })
    for (const key of ['a/1', 'b/c/1', 'b/c/2', 'b/d/1', 'e/1']) await store.put(key, bytes('x'))
    const list = async (options: ListOptions) => {
      read.length = 0
      const keys: string[] = []
      for await (const { key } of store.list(options)) keys.push(key)
      return [keys, read.map((name) => name.replaceAll(path.sep, '/'))]
    }
    expect(await list({ prefix: 'b/c/' })).toEqual([['b/c/1', 'b/c/2'], ['b/c']])
    expect(await list({ prefix: 'b/d' })).toEqual([['b/d/1'], ['b', 'b/d']])
    expect(await list({ startAfter: 'b/c/2' })).toEqual([
      ['b/d/1', 'e/1'],
      ['.', 'b', 'b/c', 'b/d', 'e'],
    ])
    expect(await list({ startAfter: 'b/d0' })).toEqual([['e/1'], ['.', 'b', 'e']])
    expect(await list({ limit: 1 })).toEqual([['a/1'], ['.', 'a']])
  })

  test('never follows a symbolic link out of its directory', async () => {
    const directory = tempDirectory()
    const outside = tempDirectory()
    await fs.writeFile(path.join(outside, 'secret.txt'), 'secret')
    const store = openStore(directory, { fsync: false })
    await store.put('fine.txt', bytes('fine'))
    await fs.symlink(outside, path.join(directory, 'link'))
    await fs.symlink(path.join(outside, 'secret.txt'), path.join(directory, 'file.txt'))
    const layout = { code: 'FIRN_OBJECT_STORE', reason: 'layout' }
    await expect(store.get('link/secret.txt')).rejects.toMatchObject(layout)
    await expect(store.head('link/secret.txt')).rejects.toMatchObject(layout)
    await expect(store.put('link/new.txt', bytes('x'))).rejects.toMatchObject(layout)
    await expect(store.delete('link/secret.txt')).rejects.toMatchObject(layout)
    await expect(keysOf(store, 'link/')).rejects.toMatchObject(layout)
    await expect(store.get('file.txt')).rejects.toMatchObject(layout)
    expect(await store.head('file.txt')).toBeUndefined()
    expect(await keysOf(store)).toEqual(['fine.txt'])
    await store.put('file.txt', bytes('mine now'))
    expect(await fs.readFile(path.join(outside, 'secret.txt'), 'utf8')).toBe('secret')
    expect(await fs.readdir(outside)).toEqual(['secret.txt'])
  })

  test('works where its own directory is reached through a symbolic link', async () => {
    const directory = tempDirectory()
    const link = path.join(tempDirectory(), 'link')
    await fs.symlink(directory, link)
    const store = openStore(link, { fsync: false })
    await store.put('a/b.txt', bytes('x'))
    expect((await store.get('a/b.txt')).size).toBe(1)
    expect(await keysOf(store)).toEqual(['a/b.txt'])
  })

  test('does not wait for the other end of a pipe', async () => {
    const directory = tempDirectory()
    if (spawnSync('mkfifo', [path.join(directory, 'pipe.txt')]).status !== 0) return
    const store = openStore(directory)
    await expect(store.get('pipe.txt')).rejects.toMatchObject({ code: 'FIRN_OBJECT_NOT_FOUND' })
  })

  test('31: makes file, directories and their parents durable before it says so', async () => {
    const parent = tempDirectory()
    const calls: string[] = []
    const short = (file: string) =>
      (path.relative(parent, file) || '.').replace(/[0-9a-f.]{20,}$/, '*')
    const verbs: Partial<Record<FileCallKind, string>> = {
      sync: 'fsync',
      syncDirectory: 'fsync',
      link: 'link',
      rename: 'rename',
      makeDirectory: 'mkdir',
    }
    const store = openStore(path.join(parent, 'new/db'), {
      fileSystem: new FaultyFileSystem(({ call, path: name }) => {
        if (verbs[call] !== undefined) calls.push(`${verbs[call]} ${short(name)}`)
        return undefined
      }),
    })
    await store.put('sst/x.sst', bytes('x'))
    // Nobody knows whether those above are durable.
    expect(calls.filter((call) => !call.startsWith('fsync ..'))).toEqual([
      'mkdir new',
      'fsync .',
      'mkdir new/db',
      'fsync new',
      'mkdir new/db/,tmp',
      'fsync new/db',
      'fsync new/db/,tmp/*',
      'mkdir new/db/sst',
      'fsync new/db',
      'link new/db/sst/x.sst',
      'fsync new/db/sst',
    ])
    calls.length = 0
    await store.put('sst/x.sst', bytes('y'))
    expect(calls.filter((call) => !call.includes(',lock') && call !== 'fsync new/db')).toEqual([
      'fsync new/db/,tmp/*',
      // Finds that the name is taken.
      'link new/db/sst/x.sst',
      'rename new/db/sst/x.sst',
      'fsync new/db/sst',
    ])
  })

  test('31: makes the directories above durable though an attempt to do so failed before', async () => {
    const parent = tempDirectory()
    const synced: string[] = []
    let isBroken = true
    const store = openStore(path.join(parent, 'new/db'), {
      fileSystem: new FaultyFileSystem(({ call, path: name }) => {
        if (call !== 'syncDirectory') return undefined
        if (isBroken && name === parent) {
          isBroken = false
          return { code: 'EIO' }
        }
        synced.push(name)
        return undefined
      }),
    })
    await expect(store.put('x.sst', bytes('x'))).rejects.toMatchObject({ reason: 'io' })
    await store.put('x.sst', bytes('x'))
    expect(synced).toContain(parent)
    expect(synced).toContain(path.join(parent, 'new'))
  })

  test('never gives an etag twice along replacements, though the clock runs backwards', async () => {
    const directory = tempDirectory()
    const env = new TestEnv()
    const store = openStore(directory, { env, fsync: false })
    const etags = new Set<string>()
    let before = 0n
    for (let i = 0; i < 20; i++) {
      env.setWallClock(1_700_000_000_000_000 - i * 1_000_000)
      const { etag } = await store.put('a.txt', bytes('same size'))
      expect((await store.head('a.txt'))?.etag).toBe(etag)
      etags.add(etag)
      const { mtimeNs } = await fs.stat(path.join(directory, 'a.txt'), { bigint: true })
      expect(mtimeNs > before).toBe(true)
      before = mtimeNs
    }
    expect(etags.size).toBe(20)
  })

  test('keeps 128 files open at most, and closes them', async () => {
    const directory = tempDirectory()
    let descriptors = 0
    const store = openStore(directory, {
      fsync: false,
      fileSystem: {
        ...nodeFileSystem,
        openSync: (name, mode) => {
          descriptors++
          const file = new FaultyFileSystem().openSync(name, mode)
          return {
            ...file,
            closeSync: () => {
              descriptors--
              file.closeSync()
            },
          }
        },
      },
    })
    const keys = Array.from({ length: 200 }, (_, i) => `${i}.sst`)
    for (const key of keys) await store.put(key, bytes(key))
    for (let round = 0; round < 3; round++) {
      for (const key of keys) {
        expect((await store.get(key, { immutable: true })).bytes).toEqual(bytes(key))
        expect(descriptors).toBeLessThanOrEqual(128)
      }
    }
    expect(descriptors).toBe(128)
    await store.delete(keys.slice(100))
    expect(descriptors).toBeLessThanOrEqual(100)
    await store.close()
    expect(descriptors).toBe(0)
  })

  test('reads an immutable object with one call to the system once it is open', async () => {
    const directory = tempDirectory()
    const fileSystem = new FaultyFileSystem()
    const { calls } = fileSystem
    const store = openStore(directory, { fileSystem })
    await store.put('a.sst', bytes('0123456789'))
    await store.get('a.sst', { immutable: true, range: { start: -4 } })
    calls.length = 0
    const object = await store.get('a.sst', { immutable: true, range: { start: 2, end: 5 } })
    expect(object.bytes).toEqual(bytes('234'))
    expect(calls).toMatchObject([{ call: 'read', inPlace: true }])
  })

  test('leaves reading to threads while the device is slow, and comes back', async () => {
    const directory = tempDirectory()
    const env = new TestEnv()
    let slow = false
    const calls = { inPlace: 0, byThread: 0 }
    const store = openStore(directory, {
      env,
      fsync: false,
      fileSystem: new FaultyFileSystem(({ call, inPlace }) => {
        if (call !== 'read') return undefined
        calls[inPlace ? 'inPlace' : 'byThread']++
        if (inPlace && slow) env.advance(5)
        return undefined
      }),
    })
    await store.put('a.sst', bytes('x'))
    const read = async (times: number) => {
      calls.inPlace = 0
      calls.byThread = 0
      for (let i = 0; i < times; i++) await store.get('a.sst', { immutable: true })
      return { ...calls }
    }
    expect(await read(100)).toEqual({ inPlace: 100, byThread: 0 })
    slow = true
    const { inPlace, byThread } = await read(2000)
    expect(byThread).toBe(2000 - inPlace)
    expect(inPlace).toBeLessThan(10)
    slow = false
    await read(8192)
    expect(await read(100)).toEqual({ inPlace: 100, byThread: 0 })
  })

  describe('when the system fails', () => {
    const faults: [FileCallKind, string, string, boolean][] = [
      ['open', 'EMFILE', 'too-many-files', true],
      ['open', 'ENOSPC', 'no-space', false],
      ['write', 'ENOSPC', 'no-space', false],
      ['write', 'EIO', 'io', false],
      ['write', 'EDQUOT', 'no-space', false],
      ['sync', 'EIO', 'io', false],
      ['close', 'EIO', 'io', false],
      ['link', 'ENOSPC', 'no-space', false],
      ['link', 'EACCES', 'permission', false],
      ['makeDirectory', 'EROFS', 'permission', false],
    ]
    for (const [call, code, reason, retryable] of faults) {
      test(`31, 32: turns ${code} of ${call} into a typed error and leaves nothing half`, async () => {
        const directory = tempDirectory()
        let broken = true
        const fileSystem = new FaultyFileSystem((made) =>
          broken && made.call === call ? { code } : undefined,
        )
        const store = openStore(directory, { fileSystem })
        const typed = { code: 'FIRN_OBJECT_STORE', reason, retryable }
        await expect(store.put('a/b.txt', bytes('x'))).rejects.toMatchObject(typed)
        broken = false
        expect(await filesOf(directory)).toEqual([])
        expect(await store.head('a/b.txt')).toBeUndefined()
        await store.put('a/b.txt', bytes('again'))
        expect((await store.get('a/b.txt')).bytes).toEqual(bytes('again'))
        expect(await filesOf(directory)).toEqual([path.join('a', 'b.txt')])
      })
    }

    test('keeps the old object where a replacement fails', async () => {
      const directory = tempDirectory()
      const fileSystem = { ...nodeFileSystem }
      const store = openStore(directory, { fileSystem })
      const { etag } = await store.put('a.txt', bytes('old'))
      fileSystem.rename = () => Promise.reject(failing('EIO'))
      for (const options of [{}, { ifMatch: etag }]) {
        const put = store.put('a.txt', bytes('new'), options)
        await expect(put).rejects.toMatchObject({ reason: 'io' })
      }
      expect(await store.get('a.txt')).toMatchObject({ etag, bytes: bytes('old') })
      expect(await filesOf(directory)).toEqual(['a.txt'])
    })

    test('31: does not call a write durable whose directory could not be synced', async () => {
      const directory = tempDirectory()
      let isBroken = false
      const store = openStore(directory, {
        fileSystem: new FaultyFileSystem(({ call }) =>
          isBroken && call === 'syncDirectory' ? { code: 'EIO' } : undefined,
        ),
      })
      await store.put('a.txt', bytes('x'))
      isBroken = true
      await expect(store.put('b.txt', bytes('x'))).rejects.toMatchObject({ reason: 'io' })
      isBroken = false
      await store.put('c.txt', bytes('x'))
    })

    test('types a failed read, and reads again when the device does', async () => {
      const directory = tempDirectory()
      let isBroken = false
      const fileSystem = new FaultyFileSystem(({ call }) =>
        isBroken && call === 'read' ? { code: 'EIO' } : undefined,
      )
      const store = openStore(directory, { fileSystem })
      await store.put('a.txt', bytes('x'))
      await store.get('a.txt', { immutable: true })
      isBroken = true
      const typed = { code: 'FIRN_OBJECT_STORE', reason: 'io' }
      await expect(store.get('a.txt', { immutable: true })).rejects.toMatchObject(typed)
      isBroken = false
      expect((await store.get('a.txt', { immutable: true })).size).toBe(1)
    })

    test('gives up files it keeps open for reads before it says that there are too many', async () => {
      const directory = tempDirectory()
      const fileSystem = { ...nodeFileSystem }
      const store = openStore(directory, { fileSystem, fsync: false })
      for (const key of ['a.txt', 'b.txt']) await store.put(key, bytes('x'))
      await store.get('a.txt', { immutable: true })
      let failures = 1
      fileSystem.openSync = (...args) => {
        if (failures-- > 0) throw failing('EMFILE')
        return nodeFileSystem.openSync(...args)
      }
      expect((await store.get('b.txt', { immutable: true })).size).toBe(1)
      failures = 2
      const refused = store.get('a.txt', { immutable: true })
      await expect(refused).rejects.toMatchObject({ reason: 'too-many-files', retryable: true })
    })

    test('says so when a file is shorter than it was', async () => {
      const directory = tempDirectory()
      const store = openStore(directory)
      await store.put('a.txt', bytes('0123456789'))
      await store.get('a.txt', { immutable: true })
      await fs.truncate(path.join(directory, 'a.txt'), 4)
      const error = { code: 'FIRN_OBJECT_STORE', reason: 'bad-reply', retryable: true }
      await expect(store.get('a.txt', { immutable: true })).rejects.toMatchObject(error)
      expect((await store.get('a.txt', { immutable: true })).bytes).toEqual(bytes('0123'))
    })

    test('makes its directories again when someone removes them', async () => {
      const directory = tempDirectory()
      const store = openStore(directory)
      await store.put('sst/a.sst', bytes('x'))
      await store.put('sst/a.sst', bytes('y'))
      for (const name of ['sst', ',tmp', ',lock']) {
        await fs.rm(path.join(directory, name), { recursive: true })
        await store.put('sst/a.sst', bytes('x'))
        await store.put('sst/a.sst', bytes('y'))
      }
    })
  })

  describe('after a crash', () => {
    /** A process id that belonged to a process of this machine, which is gone. */
    async function leaveFiles(directory: string, ...actions: string[]): Promise<void> {
      const child = spawn(process.execPath, [
        new URL('crashing-writer.mjs', import.meta.url).pathname,
        directory,
        ...actions,
      ])
      const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
        child.once('exit', (...how) => resolve(how)),
      )
      expect([code, signal]).toEqual([null, 'SIGKILL'])
    }

    test('27: removes what a killed writer left, on the first write', async () => {
      const directory = tempDirectory()
      await leaveFiles(directory, 'upload')
      expect((await filesOf(directory)).length).toBe(1)
      const store = openStore(directory)
      expect(await keysOf(store)).toEqual([])
      await store.put('a.txt', bytes('x'))
      expect(await filesOf(directory)).toEqual(['a.txt'])
    })

    test('is not held up by the claim of a killed one', async () => {
      const directory = tempDirectory()
      await leaveFiles(directory, 'claim')
      expect((await filesOf(directory)).some((file) => file.startsWith(',lock'))).toBe(true)
      const store = openStore(directory)
      const { etag } = await store.put('a.txt', bytes('x'))
      await store.put('a.txt', bytes('y'), { ifMatch: etag })
      expect(await filesOf(directory)).toEqual(['a.txt'])
    })

    test('leaves the files of living writers alone, here and on other machines', async () => {
      const directory = tempDirectory()
      const living = openStore(directory)
      const upload = await living.upload('slow.txt')
      await upload.write(bytes('from the '))
      const foreign = path.join(directory, ',tmp', '0011223344556677.abcdefabcdef.1.99')
      await fs.writeFile(foreign, 'x')
      const ancient = path.join(directory, ',tmp', '0011223344556678.abcdefabcdef.1.99')
      await fs.writeFile(ancient, 'x')
      await fs.utimes(ancient, 1000, 1000)
      await openStore(directory).put('a.txt', bytes('x'))
      await upload.write(bytes('living'))
      await upload.finish()
      expect(await filesOf(directory)).toEqual([
        path.relative(directory, foreign),
        'a.txt',
        'slow.txt',
      ])
    })

    test('breaks the claim of an unknown process after having watched it for half a minute', async () => {
      const directory = tempDirectory()
      const env = new TestEnv()
      const store = openStore(directory, { env, fsync: false })
      await store.put('a.txt', bytes('x'))
      await fs.mkdir(path.join(directory, ',lock'))
      const claim = path.join(directory, ',lock', 'ffffffffffffffff.abcdefabcdef.1.99')
      await fs.writeFile(claim, '')
      let done = false
      const writing = store.put('a.txt', bytes('y')).then(() => {
        done = true
      })
      let waitedMs = 0
      while (!done) {
        if (env.sleeping > 0) {
          env.advance(1000)
          waitedMs += 1000
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      await writing
      expect(waitedMs).toBeGreaterThanOrEqual(30_000)
      expect(await filesOf(directory)).toEqual(['a.txt'])
    })

    test('stops waiting for the lock when aborted', async () => {
      const directory = tempDirectory()
      const store = openStore(directory, { fsync: false })
      await store.put('a.txt', bytes('x'))
      await fs.mkdir(path.join(directory, ',lock'))
      await fs.writeFile(path.join(directory, ',lock', '0000000000000000.abcdefabcdef.1.99'), '')
      const reason = new Error('enough')
      const abort = new AbortController()
      const writing = store.put('a.txt', bytes('y'), { signal: abort.signal })
      abort.abort(reason)
      await expect(writing).rejects.toBe(reason)
      expect((await filesOf(directory)).length).toBe(2)
    })

    test('begins anew when its claim was broken before it could act', async () => {
      const directory = tempDirectory()
      let broken = 0
      const store = openStore(directory, {
        fsync: false,
        fileSystem: {
          ...nodeFileSystem,
          status: async (file) => {
            // Between what ifMatch sees and the rename, a waiter takes the claim away.
            if (file.endsWith('a.txt') && broken++ < 2) {
              const lock = path.join(directory, ',lock')
              for (const claim of await fs.readdir(lock)) await fs.unlink(path.join(lock, claim))
            }
            return nodeFileSystem.status(file)
          },
        },
      })
      const { etag } = await store.put('a.txt', bytes('x'))
      await store.put('a.txt', bytes('y'), { ifMatch: etag })
      expect(broken).toBe(3)
      expect((await store.get('a.txt')).bytes).toEqual(bytes('y'))
    })
  })
})
