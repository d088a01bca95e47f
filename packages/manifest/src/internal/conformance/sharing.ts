import { CorruptionError } from '@firn/env'
import { expect, it } from 'vitest'
import type { AppendResult, CommitLog, NewLogEntry } from '../../commit-log.js'
import { type AppendFault, FaultyCommitLog } from '../../faulty-commit-log.js'
import { appendSettled, resolveCommit } from '../../settle.js'
import { collect, commit, type LogFixture, payloadOf } from './subject.js'

const WRITERS = 6
const COMMITS = 12
const SETTLE_MS = 10_000

/** Several writers, answers that get lost, entries that get lost. */
export function sharingTests(fixture: () => LogFixture): void {
  it('gives racing writers a number each, without gap, loss or repetition', async () => {
    const logs = await handles(fixture(), WRITERS)
    const acknowledged = await race(fixture(), logs, (log, entry) => log.append(entry))
    await assertExactlyOnce(fixture(), logs, acknowledged)
  })

  it('1, 2, 3: commits exactly once through lost, late and doubled messages', async () => {
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

  it('4: says later what became of a commit that could not be settled', async () => {
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

  it('keeps version, timestamp and token of what it truncates, and what comes after', async () => {
    let log = await fixture().open()
    const entries = await fixture().fill(log, 1, 40)
    await log.truncate(0)
    await log.truncate(25)
    await log.truncate(25)
    await log.truncate(10)
    const check = async () => {
      const read = await collect(log.readAfter(0))
      expect(read.map(({ version, timestamp, token }) => ({ version, timestamp, token }))).toEqual(
        entries.map(({ version, timestamp, token }) => ({ version, timestamp, token })),
      )
      // A log may keep payloads a while longer, from some version on, never lose later ones.
      const kept = read.findIndex(({ payload }) => payload !== undefined)
      expect(kept).toBeGreaterThanOrEqual(0)
      expect(kept).toBeLessThanOrEqual(25)
      for (const { version, payload } of read.slice(kept)) {
        expect(new TextDecoder().decode(payload)).toBe(payloadOf(version))
      }
    }
    await check()
    log = await fixture().reopen(log)
    await check()
    entries.push(...(await fixture().fill(log, 41, 45)))
    await check()
  })

  it('truncates up to its end, and goes on after', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 20)
    await log.truncate(1_000_000)
    await fixture().fill(log, 21, 22)
    const read = await collect(log.readAfter(0))
    expect(read.map(({ version }) => version)).toEqual(Array.from({ length: 22 }, (_, i) => i + 1))
    expect(read.at(-1)?.payload).toBeDefined()
  })

  it('7: shows a writer who slept through a truncation that his number is taken', async () => {
    const log = await fixture().open()
    const [first, second] = await fixture().fill(log, 1, 30)
    await log.truncate(20)
    const slept = await log.append(fixture().entry(2))
    expect(slept).toMatchObject({ appended: false, winner: { token: second?.token } })
    // By his own token he sees that the commit was his.
    const own = await log.append({ ...fixture().entry(1), token: first?.token as string })
    expect(own.appended ? first?.token : own.winner.token).toBe(first?.token)
    expect(await collect(log.readAfter(0))).toHaveLength(30)
  })

  it('14: calls a missing entry corruption, never the end', async () => {
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

/** Every writer commits some entries; gives the tokens that were acknowledged, by version. */
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
