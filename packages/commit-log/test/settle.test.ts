import { FirnError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { describe, expect, test } from 'vitest'
import {
  AmbiguousAppendError,
  appendSettled,
  type CommitLog,
  CommitUnknownError,
  MemoryCommitLog,
  resolveCommit,
} from '../src/index.js'
import { type AppendFault, FaultyCommitLog } from '../src/testing.js'
import { collect, newEntry } from './fixtures.js'

/** A log whose appends meet these faults, one each, and none after. */
function faultyLog(...faults: (AppendFault | undefined)[]) {
  const log = new MemoryCommitLog()
  const faulty = new FaultyCommitLog(log, { append: () => faults.shift() })
  return { log, faulty }
}

/**
 * A log of which one method waits for its signal, as a request to a server that has gone silent.
 */
function silentLog(method: 'append' | 'read'): CommitLog {
  const silence = (signal: AbortSignal | undefined): Promise<never> =>
    new Promise((_, reject) => {
      if (signal?.aborted === true) reject(signal.reason)
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  const log = new MemoryCommitLog()
  return {
    exclusive: false,
    inlineLimitBytes: log.inlineLimitBytes,
    append: async (entry, { signal } = {}) =>
      method === 'append' ? silence(signal) : Promise.reject(new AmbiguousAppendError(entry)),
    async *readAfter(_, { signal } = {}) {
      yield await silence(signal)
    },
    truncate: (through) => log.truncate(through),
    close: () => log.close(),
  }
}

/** A log of which nobody knows what it did, and then it is silent. */
function brokenLog(): CommitLog {
  const silent = silentLog('append')
  let broken = 3
  return {
    ...silent,
    append: async (entry, options) => {
      if (broken-- === 0) return silent.append(entry, options)
      throw new AmbiguousAppendError(entry, new FirnError('FIRN_TEST', 'it failed with EIO'))
    },
    async *readAfter() {},
  }
}

/** Lets time pass while something waits for it. */
async function withTime<T>(env: TestEnv, work: Promise<T>): Promise<T> {
  let done = false
  const settle = work.finally(() => {
    done = true
  })
  settle.catch(() => undefined)
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve))
    if (env.sleeping > 0) env.advance(100)
  }
  return settle
}

describe('an append whose answer gets lost', () => {
  test('1: was applied: read back, it is ours, after one append', async () => {
    const { faulty } = faultyLog('lost-reply')
    expect(await appendSettled(faulty, newEntry(1), { env: new TestEnv() })).toEqual({
      appended: true,
    })
    expect(faulty.appends).toBe(1)
  })

  test('2: arrives twice and meets itself, though nothing was tried again', async () => {
    const { log, faulty } = faultyLog('twice')
    expect(await appendSettled(faulty, newEntry(1), { env: new TestEnv() })).toEqual({
      appended: true,
    })
    expect(await collect(log.readAfter(0))).toHaveLength(1)
  })

  test('3: is not given up for an empty slot: the same token at the same number, again', async () => {
    const env = new TestEnv()
    const { log, faulty } = faultyLog('late', 'lost-request', 'throttled')
    const entry = newEntry(1)
    expect(await withTime(env, appendSettled(faulty, entry, { env }))).toEqual({ appended: true })
    expect(faulty.appends).toBe(4)
    // The first request lands after all, and finds itself there.
    const [late] = await faulty.deliverLate()
    expect(late).toMatchObject({ appended: false, winner: { token: entry.token } })
    expect((await collect(log.readAfter(0))).map(({ token }) => token)).toEqual([entry.token])
  })

  test('lands late, while it is being asked for: ours', async () => {
    const env = new TestEnv()
    const { log, faulty } = faultyLog('late', 'lost-request')
    const append = appendSettled(faulty, newEntry(1), { env })
    while (env.sleeping < 2) await Promise.resolve()
    await faulty.deliverLate()
    expect(await withTime(env, append)).toEqual({ appended: true })
    expect(await collect(log.readAfter(0))).toHaveLength(1)
  })

  test('was lost to another: the winner, certain for good', async () => {
    const { log, faulty } = faultyLog('lost-request')
    const other = newEntry(1, 'other', 1)
    await log.append(other)
    const result = await appendSettled(faulty, newEntry(1), { env: new TestEnv() })
    expect(result).toMatchObject({ appended: false, winner: { token: other.token } })
  })

  test('7: meets its own tombstone: a writer who slept is told that he was heard', async () => {
    const { log, faulty } = faultyLog('lost-request')
    const entry = newEntry(1)
    await log.append(entry)
    await log.truncate(1)
    expect(await appendSettled(faulty, entry, { env: new TestEnv() })).toEqual({ appended: true })
  })

  test('4: stays unknown past the deadline, which says how to ask later', async () => {
    const env = new TestEnv()
    const log = new MemoryCommitLog()
    const faulty = new FaultyCommitLog(log, { append: () => 'late' })
    const entry = newEntry(1)
    const append = appendSettled(faulty, entry, { env, deadlineMs: 5000 })
    const error = await withTime(env, append).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CommitUnknownError)
    expect(error).toMatchObject({
      code: 'FIRN_COMMIT_UNKNOWN',
      retryable: false,
      version: 1,
      token: entry.token,
      cause: { code: 'FIRN_AMBIGUOUS_APPEND' },
    })
    expect(env.monotonic()).toBeGreaterThanOrEqual(5000)
    expect(env.monotonic()).toBeLessThan(6000)
    const commit = error as CommitUnknownError
    expect(await resolveCommit(log, commit)).toEqual({ outcome: 'unknown' })
    await faulty.deliverLate()
    expect(await resolveCommit(log, commit)).toMatchObject({ outcome: 'committed' })
  })

  test('4: stays unknown past the deadline where the log never answers', async () => {
    for (const silent of ['append', 'read'] as const) {
      const env = new TestEnv()
      const log = silentLog(silent)
      const append = appendSettled(log, newEntry(1), { env, deadlineMs: 5000 })
      const error = await withTime(env, append).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(CommitUnknownError)
      expect(env.monotonic()).toBe(5000)
      expect(env.sleeping).toBe(0)
    }
  })

  test('stays unknown when the caller gives up in the middle', async () => {
    const env = new TestEnv()
    const faulty = new FaultyCommitLog(new MemoryCommitLog(), { append: () => 'lost-request' })
    const controller = new AbortController()
    const reason = new Error('enough')
    const append = appendSettled(faulty, newEntry(1), { env, signal: controller.signal })
    while (env.sleeping < 2) await Promise.resolve()
    controller.abort(reason)
    await expect(append).rejects.toMatchObject({ code: 'FIRN_COMMIT_UNKNOWN', cause: reason })
    expect(env.sleeping).toBe(0)
  })

  test('4: has a cause for being unknown: what the log said, or that it said nothing', async () => {
    const causes: [CommitLog, RegExp][] = [
      [silentLog('append'), /within 5000 ms/],
      [brokenLog(), /failed with EIO/],
    ]
    for (const [log, said] of causes) {
      const env = new TestEnv()
      const append = appendSettled(log, newEntry(1), { env, deadlineMs: 5000 })
      const error = (await withTime(env, append).catch((e: unknown) => e)) as CommitUnknownError
      expect(error).toBeInstanceOf(CommitUnknownError)
      expect(error.message).toMatch(said)
      expect((error.cause as Error).cause).toMatchObject({ message: expect.stringMatching(said) })
    }
  })

  test('is asked for again while reading back fails too', async () => {
    const env = new TestEnv()
    const log = new MemoryCommitLog()
    let reads = 0
    const faults: AppendFault[] = ['lost-reply', 'lost-request', 'lost-request']
    const faulty = new FaultyCommitLog(log, {
      append: () => faults.shift(),
      read: () => (reads++ < 2 ? 'unreachable' : undefined),
    })
    expect(await withTime(env, appendSettled(faulty, newEntry(1), { env }))).toEqual({
      appended: true,
    })
    expect(await collect(log.readAfter(0))).toHaveLength(1)
  })

  test('waits a random while between attempts, never longer than two seconds', async () => {
    const env = new TestEnv()
    const faulty = new FaultyCommitLog(new MemoryCommitLog(), { append: () => 'throttled' })
    await withTime(env, appendSettled(faulty, newEntry(1), { env, deadlineMs: 60_000 })).catch(
      () => undefined,
    )
    expect(faulty.appends).toBeGreaterThan(30)
    expect(faulty.appends).toBeLessThan(200)
  })
})

describe('an append that leaves no doubt', () => {
  test('fails as it is at the first attempt, and as unknown after a doubtful one', async () => {
    const env = new TestEnv()
    const closed = new MemoryCommitLog()
    await closed.close()
    await expect(appendSettled(closed, newEntry(1), { env })).rejects.toMatchObject({
      code: 'FIRN_CLOSED',
    })

    const log = new MemoryCommitLog()
    let calls = 0
    const breaking = new FaultyCommitLog(log, {
      append: () => {
        if (calls++ > 0) throw new TypeError('broken')
        return 'lost-request'
      },
    })
    const append = withTime(env, appendSettled(breaking, newEntry(1), { env }))
    await expect(append).rejects.toMatchObject({
      code: 'FIRN_COMMIT_UNKNOWN',
      cause: { message: 'broken' },
    })
  })

  test('is not made for a caller who gave up before', async () => {
    const { faulty } = faultyLog()
    const signal = AbortSignal.abort(new Error('no'))
    await expect(appendSettled(faulty, newEntry(1), { signal })).rejects.toThrow('no')
    expect(faulty.appends).toBe(0)
  })

  test('says so in an error that can be tried again', () => {
    const error = new AmbiguousAppendError(newEntry(3))
    expect(error).toMatchObject({ code: 'FIRN_AMBIGUOUS_APPEND', retryable: true, version: 3 })
  })
})
