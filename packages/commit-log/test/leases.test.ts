import { CorruptionError, type Env, FormatVersionError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { leasesConformance } from '../src/conformance.js'
import {
  LeaseLostError,
  leaseKey,
  MemoryLeaseStorage,
  MemoryLeases,
  ObjectLeases,
} from '../src/index.js'
import { INCARNATION } from './fixtures.js'

leasesConformance('memory', async () => {
  const storage = new MemoryLeaseStorage()
  return { open: async (env) => new MemoryLeases({ storage, env }), dispose: async () => {} }
})

leasesConformance('objects in memory', async () => {
  const store = new MemoryObjectStore()
  return {
    open: async (env) => new ObjectLeases(store, INCARNATION, { env }),
    dispose: () => store.close(),
  }
})

const DURATION_MS = 10_000
const RESET = Object.assign(new Error('reset'), { code: 'ECONNRESET' })

/** A store whose next put is done, or isn't, and then answered by a broken connection. */
function unreliable(store: ObjectStore): { store: ObjectStore; failNextPut(done: boolean): void } {
  let fault: boolean | undefined
  const faulty = new Proxy(store, {
    get(target, property) {
      const member = Reflect.get(target, property)
      if (property !== 'put') return typeof member === 'function' ? member.bind(target) : member
      return async (...args: Parameters<ObjectStore['put']>) => {
        const done = fault
        fault = undefined
        if (done !== false) {
          const result = await target.put(...args)
          if (done === undefined) return result
        }
        throw RESET
      }
    },
  })
  return {
    store: faulty,
    failNextPut: (done) => {
      fault = done
    },
  }
}

function open(store: ObjectStore, env: Env = new TestEnv()): ObjectLeases {
  return new ObjectLeases(store, INCARNATION, { env })
}

async function acquire(leases: ObjectLeases) {
  const lease = await leases.acquire('flush', { durationMs: DURATION_MS })
  if (lease === undefined) throw new Error('the lease is not given')
  return lease
}

describe('24: a lease whose answers get lost', () => {
  test('is acquired or renewed where reading back proves it', async () => {
    const { store, failNextPut } = unreliable(new MemoryObjectStore())
    const env = new TestEnv()
    const leases = open(store, env)
    failNextPut(true)
    const lease = await acquire(leases)
    expect(lease.epoch).toBe(1)
    env.advance(100)
    failNextPut(true)
    await lease.renew()
    expect(lease.remainingMs()).toBe(DURATION_MS)
    failNextPut(true)
    await lease.release()
    expect((await acquire(leases)).epoch).toBe(2)
  })

  test('counts as lost where it doesn’t, and is not acquired', async () => {
    const { store, failNextPut } = unreliable(new MemoryObjectStore())
    const leases = open(store)
    failNextPut(false)
    await expect(acquire(leases)).rejects.toBe(RESET)
    const lease = await acquire(leases)
    failNextPut(false)
    await expect(lease.renew()).rejects.toThrow(LeaseLostError)
    expect(lease.remainingMs()).toBe(0)
    await expect(lease.renew()).rejects.toThrow(LeaseLostError)
  })
})

describe('leases on an object store', () => {
  test('make two requests to acquire, one to renew, one to release', async () => {
    const store = new MeteredObjectStore(new MemoryObjectStore())
    const leases = open(store)
    const made = () => {
      const { kinds } = store.reset()
      return { get: kinds.get.requests, put: kinds.put.requests }
    }
    const lease = await acquire(leases)
    expect(made()).toEqual({ get: 1, put: 1 })
    await lease.renew()
    expect(made()).toEqual({ get: 0, put: 1 })
    expect(await leases.acquire('flush', { durationMs: 1 })).toBeUndefined()
    expect(made()).toEqual({ get: 1, put: 0 })
    await lease.release()
    expect(made()).toEqual({ get: 0, put: 1 })
  })

  test('are those of one database', async () => {
    const store = new MemoryObjectStore()
    await acquire(open(store))
    const again = new ObjectLeases(store, INCARNATION.replace('FN', 'FM'))
    expect((await again.acquire('flush', { durationMs: 1 }))?.epoch).toBe(1)
  })

  test('with any bit flipped, or cut, are a typed error, never free', async () => {
    const store = new MemoryObjectStore()
    await (await acquire(open(store))).release()
    const key = leaseKey(INCARNATION, 'flush')
    const { bytes } = await store.get(key)
    const refuse = async (damaged: Uint8Array) => {
      await store.put(key, damaged)
      const error: unknown = await acquire(open(store)).catch((error) => error)
      expect(error instanceof CorruptionError || error instanceof FormatVersionError).toBe(true)
    }
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      await refuse(bytes.with(bit >> 3, (bytes[bit >> 3] as number) ^ (1 << (bit & 7))))
    }
    for (let length = 0; length < bytes.length; length++) await refuse(bytes.subarray(0, length))
    await store.put(leaseKey(INCARNATION, 'other'), bytes)
    await expect(open(store).acquire('other', { durationMs: 1 })).rejects.toThrow(CorruptionError)
  })
})
