import path from 'node:path'
import { systemEnv } from '@firn/env'
import { tempDirectory } from '@firn/test-support'
import { nodeFileSystem, WrappedFileSystem } from '@firn/vfs'
import { FaultyFileSystem, type FileCall, type FileCallKind } from '@firn/vfs/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { FsObjectStore } from '../src/fs.js'
import { ObjectStoreError } from '../src/index.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const open: FsObjectStore[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

/** A file system of which some calls fail. */
async function storeWith(
  fault: (call: FileCall) => string | undefined,
  onWarning?: (message: string) => void,
): Promise<FsObjectStore> {
  const directory = tempDirectory()
  const fileSystem = new FaultyFileSystem((call) => {
    const code = fault(call)
    return code === undefined ? undefined : { code }
  })
  const store = new FsObjectStore(path.join(directory, 'db'), { fileSystem, onWarning })
  open.push(store)
  return store
}

/** What a call fails with. */
const failureOf = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => Promise.reject(new Error('it was done')),
    (error: unknown) => error as Error,
  )

const failing =
  (kind: FileCallKind, code: string) =>
  ({ call }: FileCall) =>
    call === kind ? code : undefined

describe('a write that certainly was not done', () => {
  const stages = {
    'making directories': 'makeDirectory',
    'writing bytes': 'write',
    'giving it its name': 'link',
  } as const
  for (const [stage, call] of Object.entries(stages)) {
    for (const code of ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'ENOTDIR']) {
      test(`says so, with ${code} while ${stage}, and names the directory`, async () => {
        const store = await storeWith(failing(call, code))
        const error = await failureOf(store.put('a/b', bytes('x'), { ifAbsent: true }))
        expect(error).toBeInstanceOf(ObjectStoreError)
        expect(error).toMatchObject({ maybeDone: false, retryable: false, cause: { code } })
        expect(error.message).toContain(code)
        expect(error.message).toContain(store.directory)
        expect(error.message).not.toContain('health of the device')
        expect(await store.head('a/b')).toBeUndefined()
      })
    }
  }

  test('is told from one that may have been: its name was asked of a server that does not answer', async () => {
    for (const code of ['EIO', 'ETIMEDOUT', 'ESTALE']) {
      const store = await storeWith(failing('link', code))
      const put = store.put('a', bytes('x'), { ifAbsent: true })
      await expect(put).rejects.toMatchObject({ maybeDone: true, cause: { code } })
    }
  })

  test('is told from one that is visible, and may be lost by a crash', async () => {
    let isBroken = false
    const store = await storeWith(({ call }) =>
      isBroken && call === 'syncDirectory' ? 'EIO' : undefined,
    )
    await store.put('a/b', bytes('x'))
    isBroken = true
    const error = await failureOf(store.put('a/c', bytes('x'), { ifAbsent: true }))
    expect(error).toMatchObject({ maybeDone: true, cause: { code: 'EIO' } })
    // Which directory it was, though the system's error says none.
    expect(error.message).toContain(`EIO at ${path.join(store.directory, 'a')};`)
    expect(await store.head('a/c')).toBeDefined()
  })
})

describe('a file system that can’t sync directories', () => {
  for (const code of ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF', 'EISDIR', 'EPERM']) {
    test(`takes writes all the same, with one warning: ${code}`, async () => {
      const warnings: string[] = []
      const store = await storeWith(failing('syncDirectory', code), (message) =>
        warnings.push(message),
      )
      await store.put('a/b', bytes('x'), { ifAbsent: true })
      await store.put('a/b', bytes('y'))
      await store.delete('a/b')
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toMatch(/can't sync directories/)
      expect(warnings[0]).toContain(code)
    })
  }

  test('is told from one where a file can’t be synced, which is a failure', async () => {
    const store = await storeWith(failing('sync', 'EINVAL'))
    const error = await failureOf(store.put('a', bytes('x')))
    expect(error).toMatchObject({ maybeDone: false, cause: { code: 'EINVAL' } })
    expect(error.message).toContain('keep the data on another one')
  })
})

describe('a runtime that lets a program see only its own directory', () => {
  test('is no reason to fail: what lies above is not looked at', async () => {
    const parent = tempDirectory()
    const allowed = (file: string): boolean => !path.relative(parent, file).startsWith('..')
    // As Deno does, without --allow-read for what lies above: no code, no syscall.
    class Restricted extends WrappedFileSystem {
      protected override before(_: string, file: string): void {
        if (allowed(file)) return
        const error = new Error(`Requires read access to "${file}"`)
        error.name = 'NotCapable'
        throw error
      }
    }
    const store = new FsObjectStore(path.join(parent, 'new', 'db'), {
      env: systemEnv,
      fileSystem: new Restricted(nodeFileSystem),
    })
    open.push(store)
    await store.put('a/b', bytes('x'))
    expect((await store.get('a/b')).bytes).toEqual(bytes('x'))
  })
})
