import {
  type CommitLog,
  MemoryCommitLog,
  MemoryLogStorage,
  ObjectCommitLog,
} from '@firn/commit-log'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { type OpenOptions, open } from '../../src/index.js'
import { TurnTaking } from '../../src/internal/append/turn-taking.js'
import { overriding } from '../support/overriding.js'

const TEXT = { keys: 'utf8', values: 'utf8' } as const
const QUIET: OpenOptions = { compaction: 'off', maxStalenessMs: 1e9 }

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Lets time pass, a millisecond at once, until the work is done. */
async function inTime<T>(env: TestEnv, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = (): void => {
    isDone = true
  }
  work.then(done, done)
  for (;;) {
    await turn()
    if (isDone) return work
    env.advance(1)
  }
}

/** A store each of whose requests takes so long, half of it on its way there. */
function distant(store: ObjectStore, env: TestEnv, ms: number): ObjectStore {
  const far = async <T>(request: () => Promise<T>): Promise<T> => {
    await env.sleep(ms / 2)
    try {
      return await request()
    } finally {
      await env.sleep(ms / 2)
    }
  }
  return overriding<ObjectStore>(store, {
    get: (key, options) => far(() => store.get(key, options)),
    put: (key, bytes, options) => far(() => store.put(key, bytes, options)),
  })
}

test('13: a process that commits without a pause doesn’t keep others from committing', async () => {
  const env = new TestEnv()
  const store = distant(new MemoryObjectStore(), env, 10)
  const log = (incarnation: string) => new ObjectCommitLog(store, incarnation, { env })
  const opening = async () => {
    const db = await open({ store, log }, { ...QUIET, env })
    return { db, table: db.table('t', TEXT) }
  }
  const eager = await inTime(env, opening())
  await inTime(env, eager.table.put('eager', 'created'))
  const others = [await inTime(env, opening()), await inTime(env, opening())]
  let commits = 0
  let isOver = false
  const going = (async () => {
    while (!isOver) {
      await eager.table.put('eager', 'again')
      commits++
    }
  })()
  for (const [i, { table }] of others.entries()) {
    const before = commits
    await inTime(env, table.put(`other ${i}`, 'v'))
    expect(commits - before).toBeLessThan(500)
  }
  isOver = true
  await inTime(env, going)
  for (const { db } of [eager, ...others]) await inTime(env, db.close())
})

test('who lost a race reads who was first once, and what followed', async () => {
  const store = new MeteredObjectStore(new MemoryObjectStore())
  const log = (incarnation: string) => new ObjectCommitLog(store, incarnation)
  await using a = await open({ store, log }, QUIET)
  await using b = await open({ store, log }, QUIET)
  await a.table('t', TEXT).put('k', 'a')
  await b.refresh()
  await a.table('t', TEXT).put('k', 'b')
  store.reset()
  await b.table('t', TEXT).put('other', 'b')
  const { kinds } = store.reset()
  // The refused put and the one that was done; the entry that was first, and that there is none
  // after it.
  expect([kinds.put.requests, kinds.get.requests, kinds.list.requests]).toEqual([2, 2, 0])
  expect(await b.table('t', TEXT).get('k')).toBe('b')
})

test('13: a writer whom others always forestall is told so in half a minute, however slow its turns are', async () => {
  const env = new TestEnv()
  const inner = new MemoryCommitLog({ storage: new MemoryLogStorage() })
  let [isForestalled, attempts] = [false, 0]
  const log = overriding<CommitLog>(inner, {
    exclusive: false,
    append: async (entry, options) => {
      attempts++
      if (isForestalled) {
        await inner.append({ ...entry, token: '0'.repeat(26), payload: new Uint8Array(0) })
        await env.sleep(2000)
      }
      return inner.append(entry, options)
    },
  })
  await using db = await open({ store: new MemoryObjectStore(), log }, { ...QUIET, env })
  const table = db.table('t', TEXT)
  await table.put('first', 'v')
  isForestalled = true
  attempts = 0
  const startedMs = env.monotonic()
  const put = table.put('second', 'v').catch((error: unknown) => error)
  expect(await inTime(env, put)).toMatchObject({
    code: 'FIRN_COMMIT_CONFLICT',
    retryable: true,
    maybeDone: false,
    message: expect.stringContaining('for 30 s'),
  })
  expect(env.monotonic() - startedMs).toBeLessThan(33_000)
  expect(attempts).toBeLessThan(20)
  isForestalled = false
  await table.put('third', 'v')
})

describe('turns', () => {
  /**
   * Commits of 10 ms, one after the other; how many of them waited, and for how long all together.
   */
  function commit(env: TestEnv, turns: TurnTaking, commits: number) {
    const pauses: number[] = []
    for (let i = 0; i < commits; i++) {
      const pauseMs = turns.pauseMs()
      if (pauseMs > 0) pauses.push(pauseMs)
      env.advance(pauseMs + 10)
      turns.committed(10)
    }
    return pauses
  }

  test('cost a process that is alone two parts in a hundred', () => {
    const env = new TestEnv()
    const turns = new TurnTaking(env)
    commit(env, turns, 1000)
    const ms = commit(env, turns, 10_000).reduce((sum, pauseMs) => sum + pauseMs, 0)
    expect(ms).toBeGreaterThan(0)
    expect(ms).toBeLessThan(2000)
  })

  test('are given often where others are there, as long as a read or two and an append take', () => {
    const env = new TestEnv()
    const turns = new TurnTaking(env)
    commit(env, turns, 10)
    turns.lost()
    const [pauseMs, ...more] = commit(env, turns, 5)
    expect(pauseMs).toBeGreaterThanOrEqual(20)
    expect(pauseMs).toBeLessThanOrEqual(30)
    expect(more).toEqual([])
  })

  test('cost one nothing who commits rarely', () => {
    const env = new TestEnv()
    const turns = new TurnTaking(env)
    for (let i = 0; i < 1000; i++) {
      env.advance(50)
      expect(turns.pauseMs()).toBe(0)
      turns.committed(10)
      if (i % 3 === 0) turns.lost()
    }
  })

  test('are no longer for one append that was late', () => {
    const env = new TestEnv()
    const turns = new TurnTaking(env)
    commit(env, turns, 50)
    turns.committed(5000)
    turns.lost()
    commit(env, turns, 4)
    expect(turns.pauseMs()).toBeLessThan(45)
  })
})
