import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AppendResult, MemoryCommitLog, type NewLogEntry } from '@firn/commit-log'
import { FileCommitLog } from '@firn/commit-log/file'
import { systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { LONG, tempDirectory } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Database, type OpenOptions, open } from '../../src/index.js'

const CHILD = fileURLToPath(new URL('../support/buffering-child.mjs', import.meta.url))
const BUFFERED = { durability: 'buffered' } as const
const TEXT = { keys: 'utf8', values: 'utf8' } as const

/** So many writes are made by threads after one that took long. */
const WRITES_BY_THREADS = 16
/** What a kill may take of a log that has to wait for a thread, and a group: see the README. */
const WINDOW_BYTES = 1024 * 1024 + 64 * 1024

/** Where a database with an empty table `t` was closed in order. */
async function makeDatabase(): Promise<string> {
  const location = `file:${join(tempDirectory(), 'db')}`
  await using db = await open(location)
  const table = db.table('t', TEXT)
  await table.put('first', 'x')
  await table.delete('first')
  return location
}

interface Ended {
  code: number | null
  /** What was printed last. */
  told: number
  stderr: string
}

/** Runs a child to its end, or kills it as soon as it prints the line that `until` says. */
async function run(
  location: string,
  ending: string,
  { until, options = {} }: { until?: (line: string) => boolean; options?: OpenOptions } = {},
): Promise<Ended> {
  const args = [CHILD, location, ending, JSON.stringify(options)]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  let stderr = ''
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  const lines = (): string[] => output.split('\n').slice(0, -1)
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString()
    const last = lines().at(-1)
    if (last !== undefined && until?.(last) === true) child.kill('SIGKILL')
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const told = Math.max(0, ...lines().map(Number).filter(Number.isInteger))
  return { code, told, stderr }
}

/** The keys that are there, which are those of the first writes: none is missing between. */
async function countAfter(location: string): Promise<number> {
  await using db = await open(location)
  const keys: string[] = []
  for await (const key of db.table('t', TEXT).scan({ lt: 'd' }).keys()) keys.push(key)
  expect(keys).toEqual(keys.map((_, i) => String(i).padStart(8, '0')))
  return keys.length
}

describe('buffered writes, and a kill -9', { timeout: 60_000 }, () => {
  test('a thousand are there when the process was idle before', async () => {
    const location = await makeDatabase()
    await run(location, 'idle, then a kill', { until: (line) => line === 'idle' })
    expect(await countAfter(location)).toBe(1000)
  })

  test('a loop that never lets the event loop have a turn loses no more than is said', async () => {
    const location = await makeDatabase()
    const { told } = await run(location, 'a kill in a loop that never yields', {
      until: (line) => Number(line) >= 50_000,
    })
    expect(told).toBeGreaterThanOrEqual(50_000)
    expect(await countAfter(location)).toBeGreaterThanOrEqual(told - WINDOW_BYTES / 108)
  })

  test('a slow loop that never lets the event loop have a turn loses none that came before a pause', async () => {
    const location = await makeDatabase()
    const { told } = await run(location, 'a kill in a slow loop that never yields', {
      until: (line) => Number(line) >= 50,
    })
    // Threads write for a while after a write that took long, and need turns for it.
    expect(await countAfter(location)).toBeGreaterThanOrEqual(told - WRITES_BY_THREADS)
  })

  test('one that was made after a pause is there, though the turn that made it never ends', async () => {
    const location = await makeDatabase()
    await run(location, 'a kill while one turn goes on for ever', { until: (line) => line === '1' })
    expect(await countAfter(location)).toBe(1)
  })
})

describe('buffered writes, and the end of the process by itself', { timeout: 60_000 }, () => {
  test.each([
    ['the last statement', 0],
    ['process.exit', 0],
    ['process.exitCode', 7],
    ['an uncaught error', 1],
    ['an unhandled rejection', 1],
    ['process.exit under load', 0],
    ['process.exit with a durable write under way', 0],
    ['process.exit by a worker', 0],
    ['the end of a worker', 0],
  ])('%s loses none', async (ending, code) => {
    const location = await makeDatabase()
    // The timer for a sync would hold up the end of the process if it did.
    const ended = await run(location, ending, { options: { flushIntervalMs: 3_600_000 } })
    expect(ended.code).toBe(code)
    if (code !== 1) expect(ended.stderr).toBe('')
    expect(ended.told).toBeGreaterThanOrEqual(1000)
    expect(await countAfter(location)).toBe(ended.told)
  })

  test('a write as the process exits is there, unless others were still waiting for the disk', async () => {
    const location = await makeDatabase()
    const { code, told, stderr } = await run(location, 'a write as the process exits', {
      options: { flushIntervalMs: 3_600_000 },
    })
    expect({ code, told, stderr }).toEqual({ code: 0, told: 1000, stderr: '' })
    expect(await countAfter(location)).toBeGreaterThanOrEqual(999)
  })

  test('twenty open databases lose none, and Node has nothing to warn of', async () => {
    const location = await makeDatabase()
    const { code, stderr } = await run(location, 'twenty databases')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(await countAfter(location)).toBe(1000)
    // A table that there wasn't is made durably: its first write waits for that.
    for (let i = 0; i < 20; i++) expect(await countAfter(`${location}-${i}`)).toBe(10)
  })

  test('databases that are closed leave no listener', async () => {
    const location = await makeDatabase()
    const { code, stderr } = await run(location, 'closed databases')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(await countAfter(location)).toBe(1000)
  })
})

/** A log that tells what is asked of it, and that syncs when it is told to. */
class ToldLog extends MemoryCommitLog {
  readonly calls: string[] = []
  readonly pendingBytes = 0
  failure: Error | undefined

  override async append(entry: NewLogEntry): Promise<AppendResult> {
    this.calls.push(`append ${entry.version}${entry.lazy === true ? ' lazily' : ''}`)
    return super.append(entry)
  }

  async sync(): Promise<void> {
    this.calls.push('sync')
    if (this.failure !== undefined) throw this.failure
  }

  writeOut(): void {}
}

async function toldDatabase(options: OpenOptions = {}) {
  const env = new TestEnv()
  const log = new ToldLog()
  const db = await open({ store: new MemoryObjectStore(), log, env, ...options })
  onTestFinished(() => db.close().catch(() => {}))
  const table = db.table('t', TEXT)
  await table.put('first', 'x')
  const advance = async (ms: number): Promise<void> => {
    env.advance(ms)
    for (let i = 0; i < 20; i++) await undefined
  }
  await advance(1000)
  log.calls.length = 0
  const put = (key: string) => table.put(key, 'x', BUFFERED)
  return { db, log, env, table, put, advance }
}

describe('buffered writes are handed to the log', () => {
  test('at once after a pause, and the others a millisecond later, together', async () => {
    const { log, put, advance } = await toldDatabase()
    await put('a')
    expect(log.calls).toEqual(['append 3 lazily'])
    for (const key of ['b', 'c', 'd']) await put(key)
    await advance(0.5)
    expect(log.calls).toHaveLength(1)
    await advance(0.5)
    expect(log.calls).toEqual(['append 3 lazily', 'append 4 lazily'])
  })

  test('with the durable write that follows, which costs no second one then', async () => {
    const { log, put, table } = await toldDatabase()
    await put('a')
    await put('b')
    log.calls.length = 0
    await table.put('c', 'x')
    expect(log.calls).toEqual(['append 4', 'append 5'])
  })

  test('by the write that makes 64 KiB of them', async () => {
    const { log, put, table } = await toldDatabase()
    await put('a')
    log.calls.length = 0
    for (let i = 0; i < 7; i++) await table.put(`k${i}`, 'x'.repeat(8192), BUFFERED)
    expect(log.calls).toEqual([])
    await table.put('k7', 'x'.repeat(8192), BUFFERED)
    expect(log.calls).toEqual(['append 4 lazily'])
  })
})

describe('buffered writes are synced', () => {
  test('within a second, once, and an idle database waits for nothing', async () => {
    const { log, env, put, advance } = await toldDatabase()
    await put('a')
    await advance(600)
    await put('b')
    await advance(399)
    expect(log.calls).not.toContain('sync')
    await advance(1)
    expect(log.calls.filter((call) => call === 'sync')).toHaveLength(1)
    await advance(2000)
    expect(env.sleeping).toBe(0)
    await advance(3_600_000)
    expect(log.calls.filter((call) => call === 'sync')).toHaveLength(1)
    // And again, for those that come later.
    await put('c')
    await advance(1000)
    expect(log.calls.filter((call) => call === 'sync')).toHaveLength(2)
  })

  test('not where a durable write did that meanwhile', async () => {
    const { log, env, put, table, advance } = await toldDatabase()
    await put('a')
    await table.put('b', 'x')
    await advance(5000)
    expect(log.calls).not.toContain('sync')
    expect(env.sleeping).toBe(0)
  })

  test('each within the interval, also while others keep coming', async () => {
    const { log, put, advance } = await toldDatabase({ flushIntervalMs: 100 })
    let unsyncedSince = 0
    let syncs = 0
    for (let ms = 0; ms < 2000; ms += 7) {
      if (log.calls.filter((call) => call === 'sync').length > syncs) {
        syncs++
        unsyncedSince = ms
      }
      expect(ms - unsyncedSince).toBeLessThanOrEqual(114)
      await put(`k${ms}`)
      await advance(7)
    }
    expect(syncs).toBeGreaterThan(15)
  })

  test('at once with an interval of 0, and never with an infinite one', async () => {
    const at0 = await toldDatabase({ flushIntervalMs: 0 })
    await at0.put('a')
    await at0.advance(0)
    expect(at0.log.calls).toContain('sync')
    const never = await toldDatabase({ flushIntervalMs: Number.POSITIVE_INFINITY })
    await never.put('a')
    await never.advance(10_000_000)
    expect(never.log.calls).not.toContain('sync')
  })

  test('or writes are stopped: a sync that fails is never made good by another', async () => {
    const { log, db, put, advance } = await toldDatabase()
    await put('a')
    log.failure = new Error('EIO')
    await advance(1000)
    log.failure = undefined
    await expect(put('b')).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    await advance(10_000)
    expect(log.calls.filter((call) => call === 'sync')).toHaveLength(1)
    await db.close().catch(() => {})
  })

  test('close waits for no timer, and leaves none', async () => {
    const { env, db, put } = await toldDatabase()
    await put('a')
    await put('b')
    await db.close()
    for (let i = 0; i < 20; i++) await undefined
    expect(env.sleeping).toBe(0)
  })

  test.each([-1, 1.5, Number.NaN, '5', null])('an interval of %s is refused', async (value) => {
    const flushIntervalMs = value as number
    await expect(open('memory:', { flushIntervalMs })).rejects.toMatchObject({
      code: 'FIRN_INVALID_ARGUMENT',
      message: expect.stringContaining('flushIntervalMs'),
    })
  })
})

const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('put' as const), buffered: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('batch' as const), rows: fc.nat(80) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('idle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshot' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** A database whose process could be killed at any time: another one then opens what there is. */
class Mortal {
  readonly #directory: string = tempDirectory()
  readonly #env = new TestEnv()
  #log!: FileCommitLog
  #db!: Database
  #written = 0
  /** So many of the writes have to be there. */
  #kept = 0

  async open(): Promise<void> {
    mkdirSync(join(this.#directory, 'db'))
    this.#db = await this.#openIn('db', this.#env)
    await this.#db.table('t', TEXT).put('a', 'x')
  }

  async take(step: Step): Promise<void> {
    const table = this.#db.table('t', TEXT)
    switch (step.do) {
      case 'put':
        await table.put(this.#next(), 'x'.repeat(100), step.buffered ? BUFFERED : {})
        if (!step.buffered) this.#kept = this.#written
        return
      case 'batch': {
        const batch = this.#db.batch()
        for (let i = 0; i < step.rows; i++) batch.put(table, this.#next(), 'x'.repeat(1000))
        await batch.write(BUFFERED)
        return
      }
      case 'flush':
        await this.#db.flush()
        this.#kept = this.#written
        return
      case 'snapshot':
        await (await this.#db.snapshot()).close()
        return
      case 'idle':
        this.#env.advance(1)
        // A segment may be about to begin.
        do await systemEnv.yield()
        while (this.#log.pendingBytes > 0)
        this.#kept = this.#written
        return
      case 'kill':
        return this.#kill()
    }
  }

  async end(): Promise<void> {
    await this.#db.close()
    rmSync(this.#directory, { recursive: true })
  }

  async #kill(): Promise<void> {
    const image = join(this.#directory, 'image')
    cpSync(join(this.#directory, 'db'), image, { recursive: true })
    for (const name of readdirSync(image)) {
      if (name.startsWith('LOCK-')) rmSync(join(image, name))
    }
    const log = this.#log
    const db = await this.#openIn('image', systemEnv)
    const keys: string[] = []
    for await (const key of db.table('t', TEXT).scan({ gt: 'a' }).keys()) keys.push(key)
    await db.close()
    this.#log = log
    rmSync(image, { recursive: true })
    expect(keys).toEqual(keys.map((_, i) => `k${String(i).padStart(8, '0')}`))
    expect(keys.length).toBeLessThanOrEqual(this.#written)
    expect(keys.length).toBeGreaterThanOrEqual(this.#kept)
  }

  async #openIn(name: string, env: OpenOptions['env']): Promise<Database> {
    const directory = join(this.#directory, name)
    const options = { segmentBytes: 100_000, ...(env === undefined ? {} : { env }) }
    return open({
      store: new FsObjectStore(directory),
      log: async () => {
        this.#log = await FileCommitLog.open(directory, options)
        return this.#log
      },
      compaction: 'off',
      ...(env === undefined ? {} : { env }),
    })
  }

  #next(): string {
    return `k${String(this.#written++).padStart(8, '0')}`
  }
}

test('whenever a process is killed, its first writes are there, and all that a pause or a sync followed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
      async (steps) => {
        const mortal = new Mortal()
        await mortal.open()
        try {
          for (const each of steps) await mortal.take(each)
        } finally {
          await mortal.end()
        }
      },
    ),
    { numRuns: LONG ? 500 : 12, endOnFailure: true },
  )
}, 600_000)
