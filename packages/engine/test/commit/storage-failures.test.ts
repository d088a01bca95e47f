import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { systemEnv } from '@firn/env'
import { MemoryObjectStore } from '@firn/object-store'
import { FaultyObjectStore } from '@firn/object-store/testing'
import { describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { FailingLog } from '../support/failing-log.js'
import { TINY } from '../support/locations.js'

/** Retries without the pauses between them. */
const IMPATIENT = { ...systemEnv, sleep: () => systemEnv.yield() }

const TYPED = { keys: 'utf8', values: 'utf8' } as const

function diskFull(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
}

async function fill(db: Database, rows: number, from = 0): Promise<void> {
  const table = db.table('t', TYPED)
  for (let i = from; i < from + rows; i++) {
    await table.put(`key ${String(i).padStart(5, '0')}`, `value ${i} ${'x'.repeat(60)}`)
  }
}

describe('31, 32: storage fails', () => {
  test('a commit whose append fails is not acknowledged; reads go on, writes stop, reopening works', async () => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = new FailingLog(new MemoryCommitLog({ storage }))
    const db = await open({ store, log })
    await fill(db, 10)
    log.failure = diskFull()
    const table = db.table<string, string>('t')
    const failed = table.put('lost', 'x')
    await expect(failed).rejects.toMatchObject({
      code: 'FIRN_WRITE_STOPPED',
      message: expect.stringContaining('ENOSPC'),
    })
    // A later success would claim what came before it, so there is none, even when the disk is
    // back.
    log.failure = undefined
    await expect(table.put('k', 'x')).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    await expect(db.flush()).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    expect(await table.get('lost')).toBeUndefined()
    expect(await table.count()).toBe(10)
    await db.close()
    await using again = await open({ store, log: () => new MemoryCommitLog({ storage }) })
    expect(await again.table<string, string>('t').count()).toBe(10)
    await again.table<string, string>('t').put('k', 'x')
  })

  test('a commit that fails where nothing should fails its writers, and keeps none of them waiting', async () => {
    const env = { ...systemEnv, sleep: () => Promise.reject(new Error('no timer is left')) }
    const tuning = { level0Slowdown: 1, inlineLimitBytes: 100 }
    const db = await open('memory:', { env, compaction: 'off', tuning })
    // A file of level 0: the next commit is to be delayed.
    await db.table('t', TYPED).put('k', 'v'.repeat(1000))
    const stopped = { code: 'FIRN_WRITE_STOPPED', message: expect.stringContaining('no timer') }
    await expect(db.table('t', TYPED).put('k', 'v')).rejects.toMatchObject(stopped)
    await expect(db.batch().put(db.table('t', TYPED), 'k', 'v').write()).rejects.toMatchObject(
      stopped,
    )
    await db.close()
  })

  test('a buffered write is not acknowledged after the log has failed', async () => {
    const log = new FailingLog(new MemoryCommitLog({ exclusive: true }))
    // No time passes, so that the append itself doesn't wait for a turn.
    const env = { ...systemEnv, monotonic: () => 0 }
    const db = await open({ store: new MemoryObjectStore(), log }, { env })
    const table = db.table('t', TYPED)
    await table.put('k', 'x')
    log.failure = diskFull()
    // So large that its writer waits for a turn of the event loop, in which the log fails.
    const large = table.put('large', 'x'.repeat(300_000), { durability: 'buffered' })
    await expect(large).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    await expect(db.close()).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
  })

  test('close() says that buffered writes are lost which were in the log, and never synced', async () => {
    const log = new FailingLog(new MemoryCommitLog({ exclusive: true }))
    const db = await open({ store: new MemoryObjectStore(), log })
    const table = db.table('t', TYPED)
    await table.put('k', 'durable')
    // So large that it goes to the log by itself.
    await table.put('k', 'x'.repeat(300_000), { durability: 'buffered' })
    await db.refresh()
    log.failure = diskFull()
    await expect(table.put('lost', 'x')).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    await expect(db.close()).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
  })

  test('writes that wait for a flush that fails are told why; they go on when it succeeds', async () => {
    const inner = new MemoryObjectStore()
    let full = false
    const store = new FaultyObjectStore(inner, ({ operation }) =>
      full && (operation === 'upload' || operation === 'put')
        ? { kind: 'error-before' }
        : undefined,
    )
    const storage = new MemoryLogStorage()
    const db = await open(
      { store, log: () => new MemoryCommitLog({ storage, exclusive: true }) },
      { ...TINY, memtableBytes: 4096, env: IMPATIENT },
    )
    await fill(db, 20)
    full = true
    const written = fill(db, 400, 20)
    const stalled = {
      code: 'FIRN_WRITE_STALLED',
      retryable: true,
      cause: { code: 'FIRN_OBJECT_STORE' },
    }
    await expect(written).rejects.toMatchObject(stalled)
    const table = db.table<string, string>('t')
    const rows = await table.count()
    expect(rows).toBeGreaterThanOrEqual(20)
    // Each kind of write, again and again.
    await expect(table.put('lost', 'x')).rejects.toMatchObject(stalled)
    await expect(table.put('lost', 'x'.repeat(5000))).rejects.toMatchObject(stalled)
    await expect(db.batch().put(table, 'lost', 'x').write()).rejects.toMatchObject(stalled)
    await expect(
      db.transaction((tx) => tx.table('t', TYPED).put('lost', 'x')),
    ).rejects.toMatchObject(stalled)
    expect(await table.count()).toBe(rows)
    full = false
    await table.put('k', 'x')
    expect(await table.count()).toBe(rows + 1)
    await db.close()
    await using again = await open({ store: inner, log: () => new MemoryCommitLog({ storage }) })
    expect(await again.table<string, string>('t').count()).toBe(rows + 1)
  })
})
