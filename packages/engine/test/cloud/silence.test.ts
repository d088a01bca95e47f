import { type Env, isFirnError, systemEnv } from '@firn/env'
import { HANG, type ProxiedRequest, startFaultProxy } from '@firn/local-services'
import { afterEach, describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { cloud, LOGS, newLocation } from './places.js'

const TEXT = { keys: 'utf8', values: 'utf8' } as const
const SERVICES = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_DYNAMODB'] as const

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  Object.assign(process.env, cloud)
  for (const proxy of running.splice(0)) await proxy.stop()
})

/**
 * From now on, what is opened meets services that accept connections and, when told so, never
 * answer.
 */
async function behindSilence(isSilent: (request: ProxiedRequest) => boolean): Promise<void> {
  for (const service of SERVICES) {
    const proxy = await startFaultProxy(cloud?.[service] ?? '', (request) =>
      isSilent(request) ? HANG : undefined,
    )
    running.push(proxy)
    process.env[service] = proxy.endpoint
  }
}

/** A database of some files, a checkpoint and a tail. */
async function seed(location: string): Promise<void> {
  await using db = await open(location, { memtableBytes: 16 * 1024, compaction: 'inline' })
  const table = db.table('t', TEXT)
  for (let i = 0; i < 60; i++) await table.put(`row ${i}`, 'x'.repeat(1000))
}

const SPEED = 20

/** The real world with quick clocks, which knows how many sleep who are waited for. */
function hurried(): Env & { readonly sleeping: number } {
  let sleeping = 0
  return {
    ...systemEnv,
    monotonic: () => systemEnv.monotonic() * SPEED,
    sleep: async (ms, signal, options) => {
      if (options?.background === true) return systemEnv.sleep(ms / SPEED, signal, options)
      sleeping++
      try {
        await systemEnv.sleep(ms / SPEED, signal)
      } finally {
        sleeping--
      }
    },
    get sleeping() {
      return sleeping
    },
  }
}

describe.skipIf(cloud === undefined)('where services are silent', () => {
  test.each(LOGS)(
    '42: open({ signal }) ends with the signal’s reason, whichever request has no answer (%s)',
    async (log) => {
      const location = await newLocation(log)
      await seed(location)
      let [requests, silentFrom] = [0, 0]
      let caller = new AbortController()
      await behindSilence(() => {
        if (++requests !== silentFrom) return requests > silentFrom
        caller.abort(new Error(`no answer to request ${requests}`))
        return true
      })
      for (;;) {
        requests = 0
        silentFrom++
        caller = new AbortController()
        const { signal } = caller
        const opened = await open(location, { signal }).catch((error: unknown) => error)
        if (requests < silentFrom) {
          await (opened as Awaited<ReturnType<typeof open>>).close()
          break
        }
        expect(opened).toBe(signal.reason)
        expect(requests).toBe(silentFrom)
      }
      expect(silentFrom).toBeGreaterThan(2)
    },
  )

  test.each(LOGS)(
    '42: open({ signal }) of a database to be made ends so, too (%s)',
    async (log) => {
      let [requests, silentFrom] = [0, 0]
      let caller = new AbortController()
      let opened: unknown
      do {
        const location = await newLocation(log)
        requests = 0
        silentFrom++
        caller = new AbortController()
        const { signal } = caller
        await behindSilence(() => {
          if (++requests === silentFrom) caller.abort(new Error(`no answer to request ${requests}`))
          return requests >= silentFrom
        })
        opened = await open(location, { signal }).catch((error: unknown) => error)
        if (requests >= silentFrom) {
          expect(opened).toBe(signal.reason)
          expect(requests).toBe(silentFrom)
        }
      } while (requests >= silentFrom)
      await (opened as Database).close()
      expect(silentFrom).toBeGreaterThan(5)
    },
    20_000,
  )

  test.each(LOGS)(
    '41: close() ends though a memtable can’t be flushed (%s)',
    async (log) => {
      const location = await newLocation(log)
      let silent = false
      await behindSilence(() => silent)
      const env = hurried()
      {
        const db = await open(location, { env, compaction: 'inline' })
        const table = db.table('t', TEXT)
        await Promise.all(
          Array.from({ length: 100 }, (_, i) => table.put(`row ${i}`, 'x'.repeat(1000))),
        )
        silent = true
        await db.close()
        expect(env.sleeping).toBe(0)
        silent = false
      }
      await using db = await open(location)
      expect(await db.table('t', TEXT).count()).toBe(100)
    },
    20_000,
  )

  test.each(LOGS)(
    '41: close() ends, and so do commits, reads and a refresh under way (%s)',
    async (log) => {
      const location = await newLocation(log)
      await seed(location)
      let silent = false
      await behindSilence(() => silent)
      const env = hurried()
      const db = await open(location, { env })
      const table = db.table('t', TEXT)
      silent = true
      const commits = Promise.allSettled([table.put('late', 'v'), table.put('later', 'v')])
      const reads = Promise.allSettled([table.get('row 7'), db.refresh(), table.count()])
      await db.close().catch((error: unknown) => expect(isFirnError(error)).toBe(true))
      for (const end of await commits) {
        expect(end).toMatchObject({ reason: { code: 'FIRN_COMMIT_UNKNOWN' } })
      }
      for (const end of await reads) expect(end).toMatchObject({ reason: { code: 'FIRN_CLOSED' } })
      expect(env.sleeping).toBe(0)
    },
    20_000,
  )

  test.each(LOGS)(
    '41: close() ends while a file is written, and the lease for that is not let go of (%s)',
    async (log) => {
      const location = await newLocation(log)
      let silent = false
      let onSilence: (() => void) | undefined
      const silence = new Promise<void>((resolve) => {
        onSilence = resolve
      })
      await behindSilence(({ method, path }) => {
        if (method === 'PUT' && path.includes('.sst')) silent = true
        if (silent) onSilence?.()
        return silent
      })
      const env = hurried()
      const db = await open(location, { env, memtableBytes: 4096, compaction: 'inline' })
      const commits: Promise<unknown>[] = []
      for (let i = 0; i < 8; i++) commits.push(db.table('t', TEXT).put(`row ${i}`, 'x'.repeat(900)))
      const ends = Promise.allSettled(commits)
      await silence
      await db.close().catch((error: unknown) => expect(isFirnError(error)).toBe(true))
      await ends
      expect(env.sleeping).toBe(0)
    },
    20_000,
  )
})
