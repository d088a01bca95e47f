import { ClosedError, InvalidArgumentError } from '@firn/env'
import { expect, test } from 'vitest'
import type { AppendResult } from '../../commit-log.js'
import { entryAt, entryAtTime } from '../../lookup.js'
import { collect, type LogFixture, plain, timestampOf } from './subject.js'

/** One handle at a time: reads return exactly what was appended, in order, once. */
export function appendingTests(fixture: () => LogFixture): void {
  test('is empty at first', async () => {
    const log = await fixture().open()
    expect(await collect(log.readAfter(0))).toEqual([])
    expect(await entryAt(log, 1)).toBeUndefined()
  })

  test('gives back what was appended: versions, timestamps, tokens and payloads', async () => {
    const log = await fixture().open()
    const entries = await fixture().fill(log, 1, 20)
    expect(plain(await collect(log.readAfter(0)))).toEqual(plain(entries))
    expect(plain(await collect(log.readAfter(7)))).toEqual(plain(entries.slice(7)))
    expect(plain(await collect(log.readAfter(7, { limit: 5 })))).toEqual(
      plain(entries.slice(7, 12)),
    )
    expect(await collect(log.readAfter(7, { limit: 0 }))).toEqual([])
    expect(await collect(log.readAfter(20))).toEqual([])
    expect(await collect(log.readAfter(1000))).toEqual([])
  })

  test('takes payloads that are empty, and as long as its limit', async () => {
    const log = await fixture().open()
    const long = new Uint8Array(log.inlineLimitBytes).map((_, i) => i % 251)
    const empty = fixture().entry(1, new Uint8Array(0))
    const full = fixture().entry(2, long.slice())
    expect(await log.append(empty)).toEqual({ appended: true })
    expect(await log.append(full)).toEqual({ appended: true })
    const [first, second] = await collect(log.readAfter(0))
    expect(first?.payload).toHaveLength(0)
    expect(second?.payload).toHaveLength(long.length)
    expect(second?.payload?.every((byte, i) => byte === long[i])).toBe(true)
  })

  test('keeps what was appended when the caller uses the array again', async () => {
    const log = await fixture().open()
    const entry = fixture().entry(1, 'before')
    await log.append(entry)
    entry.payload.fill(0)
    const [read] = await collect(log.readAfter(0))
    expect(new TextDecoder().decode(read?.payload)).toBe('before')
  })

  test('never gives a number twice: the second to ask gets the first one’s entry', async () => {
    const log = await fixture().open()
    const [first] = await fixture().fill(log, 1, 3)
    const late = await log.append(fixture().entry(1, 'another'))
    expect(late.appended).toBe(false)
    if (!late.appended && first !== undefined) expect(plain([late.winner])).toEqual(plain([first]))
    expect(await collect(log.readAfter(0))).toHaveLength(3)
  })

  test('2: shows a request that was delivered twice its own entry', async () => {
    const log = await fixture().open()
    const entry = fixture().entry(1)
    await log.append({ ...entry, payload: entry.payload.slice() })
    const again = await log.append(entry)
    expect(again.appended || again.winner.token === entry.token).toBe(true)
    expect(await collect(log.readAfter(0))).toHaveLength(1)
  })

  test('has one winner where one number is asked for several times at once', async () => {
    const log = await fixture().open()
    const racers = Array.from({ length: 10 }, (_, i) => fixture().entry(1, `racer ${i}`))
    const results = await Promise.all(racers.map((entry) => log.append(entry)))
    expect(results.filter(({ appended }) => appended)).toHaveLength(1)
    const winner = racers[results.findIndex(({ appended }) => appended)]
    for (const result of results) {
      if (!result.appended) expect(result.winner.token).toBe(winner?.token)
    }
  })

  test('refuses entries that are none, and appends nothing', async () => {
    const log = await fixture().open()
    const entry = fixture().entry(1)
    const bad = [
      { ...entry, version: 0 },
      { ...entry, version: 1.5 },
      { ...entry, version: 2 ** 53 },
      { ...entry, timestamp: -1 },
      { ...entry, timestamp: Number.NaN },
      { ...entry, token: 'not a ulid' },
      { ...entry, payload: undefined as unknown as Uint8Array },
    ]
    for (const one of bad) await expect(log.append(one)).rejects.toThrow(InvalidArgumentError)
    // The message for an invalid token says how to make one.
    await expect(log.append({ ...entry, token: 'mine' })).rejects.toThrow(
      /"mine".*ulid\(systemEnv\)/,
    )
    expect(await collect(log.readAfter(0))).toEqual([])
  })

  test('23: takes the first microseconds of 1970 as timestamps', async () => {
    let log = await fixture().open()
    for (const version of [1, 2]) {
      const entry = { ...fixture().entry(version), timestamp: version }
      expect(await log.append(entry)).toEqual({ appended: true })
    }
    log = await fixture().reopen(log)
    expect((await collect(log.readAfter(0))).map(({ timestamp }) => timestamp)).toEqual([1, 2])
    await log.truncate(1)
    expect((await collect(log.readAfter(0))).map(({ timestamp }) => timestamp)).toEqual([1, 2])
  })

  test('is read up to where it ended, while it grows', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 10)
    let version = 0
    for await (const entry of log.readAfter(0)) {
      expect(entry.version).toBe(++version)
      if (version <= 10) await fixture().fill(log, 10 + version, 10 + version)
    }
    expect(version).toBeGreaterThanOrEqual(10)
  })

  test('lets go of a reader who has seen enough', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 30)
    for await (const { version } of log.readAfter(0)) if (version === 3) break
    expect(await collect(log.readAfter(0))).toHaveLength(30)
  })

  test('settles pipelined appends in order, where it is exclusive', async () => {
    const log = await fixture().open()
    if (!log.exclusive) return
    const settled: number[] = []
    const appends: Promise<AppendResult>[] = []
    for (let version = 1; version <= 200; version++) {
      const append = log.append(fixture().entry(version))
      void append.then(() => settled.push(version))
      appends.push(append)
    }
    for (const result of await Promise.all(appends)) expect(result).toEqual({ appended: true })
    expect(settled).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    expect(await collect(log.readAfter(0))).toHaveLength(200)
  })

  test('refuses a version or timestamp out of turn, where it is exclusive', async () => {
    const log = await fixture().open()
    if (!log.exclusive) return
    await fixture().fill(log, 1, 2)
    await expect(log.append(fixture().entry(4))).rejects.toThrow(InvalidArgumentError)
    const old = { ...fixture().entry(3), timestamp: timestampOf(2) }
    await expect(log.append(old)).rejects.toThrow(InvalidArgumentError)
    await fixture().fill(log, 3, 3)
  })

  test('is all there after it was closed and opened again, and goes on', async () => {
    let log = await fixture().open()
    const entries = await fixture().fill(log, 1, 12)
    log = await fixture().reopen(log)
    expect(plain(await collect(log.readAfter(0)))).toEqual(plain(entries))
    entries.push(...(await fixture().fill(log, 13, 15)))
    log = await fixture().reopen(log)
    expect(plain(await collect(log.readAfter(0)))).toEqual(plain(entries))
  })

  test('finds entries by version and by time', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 40)
    const newest = { version: 40, timestamp: timestampOf(40) }
    const at = async (timestamp: number) => (await entryAtTime(log, timestamp, { newest }))?.version
    for (let version = 1; version <= 40; version++) {
      expect((await entryAt(log, version))?.version).toBe(version)
      expect(await at(timestampOf(version))).toBe(version)
      expect(await at(timestampOf(version) - 1)).toBe(version === 1 ? undefined : version - 1)
    }
    expect(await at(Number.MAX_SAFE_INTEGER)).toBe(40)
    expect(await at(0)).toBeUndefined()
  })

  test('42: does nothing for a caller who gave up before, and says why', async () => {
    const log = await fixture().open()
    await fixture().fill(log, 1, 3)
    const reason = new Error('changed my mind')
    const signal = AbortSignal.abort(reason)
    await expect(log.append(fixture().entry(4), { signal })).rejects.toBe(reason)
    await expect(log.truncate(2, { signal })).rejects.toBe(reason)
    await expect(collect(log.readAfter(0, { signal }))).rejects.toBe(reason)
    const entries = await collect(log.readAfter(0))
    expect(entries.map(({ payload }) => payload !== undefined)).toEqual([true, true, true])
  })

  test('41: waits for appends under way when it is closed, and takes none after', async () => {
    const log = await fixture().open()
    const append = log.append(fixture().entry(1))
    await log.close()
    expect(await append).toEqual({ appended: true })
    await log.close()
    const use = [
      async () => log.append(fixture().entry(2)),
      async () => collect(log.readAfter(0)),
      async () => log.truncate(1),
    ]
    for (const call of use) await expect(call()).rejects.toThrow(ClosedError)
    const again = await fixture().open()
    expect(await collect(again.readAfter(0))).toHaveLength(1)
  })
}
