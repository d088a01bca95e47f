import { CorruptionError } from '@firn/env'
import { expect, test } from 'vitest'
import type { AppendResult, CommitLog, NewLogEntry } from '../../commit-log.js'
import { type AppendFault, FaultyCommitLog } from '../../faulty-commit-log.js'
import { entryAt } from '../../lookup.js'
import { appendSettled, resolveCommit } from '../../settle.js'
import { collect, commit, type LogFixture, payloadOf } from './subject.js'

const WRITERS = 6
const COMMITS = 12
const SETTLE_MS = 10_000

/** Several writers, lost answers and lost entries. */
export function sharingTests(fixture: () => LogFixture): void {
  test('gives racing writers a number each, without gap, loss or repetition', async () => {
    const logs = await handles(fixture(), WRITERS)
    const acknowledged = await race(fixture(), logs, (log, entry) => log.append(entry))
    await assertExactlyOnce(fixture(), logs, acknowledged)
  })

  test('1, 2, 3: commits exactly once through lost, late and doubled messages', async () => {
    const faults: (AppendFault | undefined)[] = [
      'lost-reply',
      undefined,
      'lost-request',
      'twice',
      'throttled',
      'late',
      undefined,
    ]
    const logs = await handles(fixture(), WRITERS)
    const faulty = logs.map((log, writer) => {
      let call = writer
      return new FaultyCommitLog(log, { append: () => faults[call++ % faults.length] })
    })
    const { env } = fixture()
    const acknowledged = await race(fixture(), faulty, async (log, entry) => {
      const result = await appendSettled(log, entry, { env, deadlineMs: SETTLE_MS })
      await (log as FaultyCommitLog).deliverLate().catch(() => undefined)
      return result
    })
    expect(faulty.every((log) => log.faults > 0)).toBe(true)
    await assertExactlyOnce(fixture(), logs, acknowledged)
  })

  test('creates once what is asked for by several requests at once, and calls it the caller’s own', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 2)
    const mine = fixture().entry(3)
    const appends = Array.from({ length: 4 }, () =>
      log.append({ ...mine, payload: mine.payload.slice() }),
    )
    const results = await Promise.all(appends)
    expect(results.some(({ appended }) => appended)).toBe(true)
    for (const result of results) {
      if (!result.appended) expect(result.winner.token).toBe(mine.token)
    }
    expect((await collect(log.readAfter(2))).map(({ token }) => token)).toEqual([mine.token])
  })

  test('4: says later what became of a commit that could not be settled', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 1)
    const mine = fixture().entry(2)
    expect(await resolveCommit(log, mine)).toEqual({ outcome: 'unknown' })
    await log.append({ ...mine, payload: mine.payload.slice() })
    expect(await resolveCommit(log, mine)).toMatchObject({ outcome: 'committed' })
    const other = fixture().entry(2)
    const lost = await resolveCommit(log, other)
    expect(lost).toMatchObject({ outcome: 'lost', winner: { token: mine.token } })
  })

  test('keeps version, timestamp and token of what it truncates, and all that comes after', async () => {
    let log = await fixture().open()
    const entries = await fixture().fill(log, 1, 40)
    const check = async (through: number) => {
      const read = await collect(log.readAfter(0))
      expect(read.map(({ version, timestamp, token }) => ({ version, timestamp, token }))).toEqual(
        entries.map(({ version, timestamp, token }) => ({ version, timestamp, token })),
      )
      expect(read.filter(({ payload }) => payload === undefined)).toHaveLength(through)
      for (const { version, payload } of read.slice(through)) {
        expect(new TextDecoder().decode(payload)).toBe(payloadOf(version))
      }
    }
    await log.truncate(0)
    await check(0)
    for (const through of [25, 25, 10]) {
      await log.truncate(through)
      await check(25)
    }
    log = await fixture().reopen(log)
    await check(25)
    entries.push(...(await fixture().fill(log, 41, 45)))
    await check(25)
    await log.truncate(26)
    await check(26)
    log = await fixture().reopen(log)
    await check(26)
    expect((await entryAt(log, 26))?.payload).toBeUndefined()
    expect(new TextDecoder().decode((await entryAt(log, 27))?.payload)).toBe(payloadOf(27))
  })

  test('makes 100 tombstones of the first 100 entries, as it was asked to', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 120)
    await log.truncate(100)
    const read = await collect(log.readAfter(0))
    expect(read.filter(({ payload }) => payload === undefined)).toHaveLength(100)
  })

  test('truncates up to its end, and goes on after', async () => {
    let log = await fixture().open()
    await fixture().fill(log, 1, 20)
    await log.truncate(1_000_000)
    const payloads = async () =>
      (await collect(log.readAfter(0))).map(({ payload }) =>
        payload === undefined ? undefined : new TextDecoder().decode(payload),
      )
    const tombstones = Array.from({ length: 20 }, () => undefined)
    expect(await payloads()).toEqual(tombstones)
    await fixture().fill(log, 21, 22)
    expect(await payloads()).toEqual([...tombstones, payloadOf(21), payloadOf(22)])
    log = await fixture().reopen(log)
    expect(await payloads()).toEqual([...tombstones, payloadOf(21), payloadOf(22)])
  })

  test('7: shows a writer who slept through a truncation that his number is taken', async () => {
    let log = await fixture().open()
    const [first, second] = await fixture().fill(log, 1, 30)
    await log.truncate(20)
    const meet = async () => {
      const slept = await log.append(fixture().entry(2))
      // A tombstone tells the writer not to go on from there.
      expect(slept).toMatchObject({
        appended: false,
        winner: { version: 2, token: second?.token, payload: undefined },
      })
      // The writer recognizes its own commit by its token.
      const own = await log.append({ ...fixture().entry(1), token: first?.token as string })
      expect(own.appended ? first?.token : own.winner.token).toBe(first?.token)
      const last = await log.append(fixture().entry(30))
      expect(last.appended ? undefined : last.winner.payload).toBeDefined()
      expect(await collect(log.readAfter(0))).toHaveLength(30)
    }
    await meet()
    log = await fixture().reopen(log)
    await meet()
  })

  test('14: calls a missing entry corruption, never the end', async () => {
    if (!fixture().canLoseEntries) return
    const log = await fixture().open()
    await fixture().fill(log, 1, 9)
    await log.close()
    await fixture().loseEntry(5)
    const again = await fixture().open()
    await expect(collect(again.readAfter(0))).rejects.toThrow(CorruptionError)
    await expect(collect(again.readAfter(3))).rejects.toThrow(CorruptionError)
  })
}

async function handles(fixture: LogFixture, count: number): Promise<CommitLog[]> {
  const first = await fixture.open()
  const logs = [first]
  while (logs.length < count) logs.push(first.exclusive ? first : await fixture.open())
  return logs
}

/** Every writer commits some entries; returns the acknowledged tokens by version. */
async function race(
  fixture: LogFixture,
  logs: readonly CommitLog[],
  append: (log: CommitLog, entry: NewLogEntry) => Promise<AppendResult>,
): Promise<Map<number, string>> {
  const acknowledged = new Map<number, string>()
  const write = async (log: CommitLog) => {
    let last = 0
    for (let i = 0; i < COMMITS; i++) {
      let token = ''
      last = await commit(
        log,
        last,
        (version) => {
          const entry = fixture.entry(version)
          token = entry.token
          return entry
        },
        (entry) => append(log, entry),
      )
      expect(acknowledged.has(last)).toBe(false)
      acknowledged.set(last, token)
    }
  }
  await Promise.all(logs.map(write))
  return acknowledged
}

async function assertExactlyOnce(
  fixture: LogFixture,
  logs: readonly CommitLog[],
  acknowledged: ReadonlyMap<number, string>,
): Promise<void> {
  for (const log of new Set(logs)) await log.close()
  const log = await fixture.open()
  const entries = await collect(log.readAfter(0))
  expect(entries).toHaveLength(logs.length * COMMITS)
  for (const [i, { version, token }] of entries.entries()) {
    expect(version).toBe(i + 1)
    expect(acknowledged.get(version)).toBe(token)
  }
}
