import { CorruptionError, FormatVersionError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { decodeRoot, encodeRoot, openRoot, ROOT_KEY } from '../src/index.js'
import { INCARNATION } from './fixtures.js'

const env = new TestEnv()

describe('the root of a database', () => {
  test('is made once, and found after', async () => {
    const store = new MemoryObjectStore()
    const { incarnation, created } = await openRoot(store, { env })
    expect(created).toBe(true)
    const found = { incarnation, log: undefined, created: false }
    expect(await openRoot(store, { env })).toEqual(found)
    expect(await openRoot(store, { env, createIfMissing: false, log: 'file' })).toEqual(found)
  })

  test('says where the log is, so that no process begins a second one', async () => {
    const store = new MemoryObjectStore()
    const log = 'dynamodb:table-1'
    const { incarnation } = await openRoot(store, { env, log })
    expect(await openRoot(store, { env, log })).toEqual({ incarnation, log, created: false })
    expect(await openRoot(store, { env })).toEqual({ incarnation, log, created: false })
    for (const other of ['dynamodb:table-2', 'objects']) {
      await expect(openRoot(store, { env, log: other })).rejects.toMatchObject({
        code: 'FIRN_INVALID_ARGUMENT',
        message: expect.stringMatching(
          /keeps its log in dynamodb:table-1, .* \?log=dynamodb:table-1/,
        ),
      })
    }
    await expect(openRoot(store, { env, log: 'a "b"' })).rejects.toThrow('not the place of a log')
  })

  test('is one for all who make it at once', async () => {
    const store = new MemoryObjectStore()
    const roots = await Promise.all(Array.from({ length: 10 }, () => openRoot(store, { env })))
    expect(new Set(roots.map(({ incarnation }) => incarnation)).size).toBe(1)
    expect(roots.filter(({ created }) => created)).toHaveLength(1)
  })

  test('is not made where that is not wanted', async () => {
    const store = new MemoryObjectStore()
    const open = openRoot(store, { env, createIfMissing: false })
    await expect(open).rejects.toMatchObject({ code: 'FIRN_DATABASE_NOT_FOUND' })
    expect(await store.head(ROOT_KEY)).toBeUndefined()
  })

  test('is found to be ours when the answer to making it got lost', async () => {
    const store = new MemoryObjectStore()
    const losing = new Proxy(store, {
      get(target, property) {
        if (property !== 'put') return Reflect.get(target, property).bind(target)
        return async (...args: Parameters<MemoryObjectStore['put']>) => {
          await target.put(...args)
          throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
        }
      },
    })
    expect(await openRoot(losing, { env })).toMatchObject({ created: true })
  })

  test('is asked for once more when it was damaged on its way', async () => {
    const store = new MemoryObjectStore()
    await store.put(ROOT_KEY, encodeRoot({ incarnation: INCARNATION, log: undefined }))
    let reads = 0
    const original = store.get.bind(store)
    store.get = async (...args) => {
      const object = await original(...args)
      // The first answer's format is 9.
      const at = object.bytes.indexOf('1'.charCodeAt(0))
      if (++reads === 1) object.bytes[at] = '9'.charCodeAt(0)
      return object
    }
    expect(await openRoot(store)).toMatchObject({ incarnation: INCARNATION, created: false })
    expect(reads).toBe(2)
  })

  test('37: of the future is refused before anything is written', async () => {
    const store = new MemoryObjectStore()
    await store.put(ROOT_KEY, new TextEncoder().encode('{"format":2,"somewhere":"else"}'))
    await expect(openRoot(store, { env })).rejects.toThrow(FormatVersionError)
    const names: string[] = []
    for await (const { key } of store.list()) names.push(key)
    expect(names).toEqual([ROOT_KEY])
  })

  test.each([undefined, 'file', 'dynamodb:firn'])(
    'with any bit flipped, or cut, is a typed error, never another database (log %s)',
    (log) => {
      const bytes = encodeRoot({ incarnation: INCARNATION, log })
      expect(decodeRoot(bytes)).toEqual({ incarnation: INCARNATION, log })
      const refuse = (damaged: Uint8Array) => {
        try {
          decodeRoot(damaged)
        } catch (error) {
          if (error instanceof CorruptionError || error instanceof FormatVersionError) return
          throw error
        }
        throw new Error('a damaged root was taken for a whole one')
      }
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        refuse(bytes.with(bit >> 3, (bytes[bit >> 3] as number) ^ (1 << (bit & 7))))
      }
      for (let length = 0; length < bytes.length; length++) refuse(bytes.subarray(0, length))
      for (const other of ['null', '[]', '7', '{"format":1}', '{"format":"2"}']) {
        refuse(new TextEncoder().encode(other))
      }
    },
  )
})
