import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { decodeTuple } from '@firn/bytes'
import {
  LOST_REPLY,
  LOST_REQUEST,
  late,
  randomFault,
  startFaultProxy,
  TWICE,
} from '@firn/local-services'
import { decodeEdits, readRecords } from '@firn/manifest'
import { LONG } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { type OpenOptions, open } from '../../src/index.js'
import { cloud, LOGS, newLocation, openLog } from './places.js'

const WORKER = fileURLToPath(new URL('../support/cloud-worker.mjs', import.meta.url))
const WRITERS = LONG ? 8 : 3
const SECONDS = Number(process.env['FIRN_TEST_SECONDS'] ?? (LONG ? 12 : 2))
const FAULTY_SECONDS = Math.min(SECONDS, 20)

// Flushes, compactions and checkpoints all the time.
const BUSY: OpenOptions = {
  memtableBytes: 256 * 1024,
  maxStalenessMs: 200,
  compaction: 'inline',
  tuning: { targetFileBytes: 256 * 1024, levelBaseBytes: 1024 * 1024, level0Trigger: 2 },
}

interface Ack {
  n: number
  version: number
}

/** A process on the database, from start to its digest or its death. */
class Writer {
  readonly acks: Ack[] = []
  /** Numbers of the transactions that committed, and of those that were given up. */
  readonly moved: number[] = []
  readonly refused: number[] = []
  readonly #child: ChildProcess
  readonly #closed: Promise<void>
  readonly #waiting = new Map<string, (line: string) => void>()
  next: number
  errors = ''
  killed = false

  constructor(location: string, number: number, next: number, env: Record<string, string>) {
    this.next = next
    const seed = number * 7919 + next
    this.#child = spawn(
      process.execPath,
      [WORKER, location, String(number), String(next), JSON.stringify(BUSY), String(seed)],
      { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } },
    )
    let rest = ''
    this.#child.stdout?.on('data', (data: Buffer) => {
      const lines = (rest + data.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#take(line)
    })
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.errors += data.toString()
    })
    this.#closed = new Promise((resolve) => this.#child.on('close', () => resolve()))
  }

  #take(line: string): void {
    const [word = '', n, version] = line.split(' ')
    if (word === 'ack') this.acks.push({ n: Number(n), version: Number(version) })
    if (word === 'moved') this.moved.push(Number(n))
    if (word === 'refused') this.refused.push(Number(n))
    this.#waiting.get(word)?.(line)
  }

  /** The greatest number whose end was told. */
  get newest(): number {
    return Math.max(-1, ...this.acks.map(({ n }) => n), ...this.moved, ...this.refused)
  }

  /** The first line that begins so. Rejects when the process ends without one. */
  async line(word: string): Promise<string> {
    return await Promise.race([
      new Promise<string>((resolve) => this.#waiting.set(word, resolve)),
      this.#closed.then(() => {
        throw new Error(`the process ended before it said '${word}': ${this.errors}`)
      }),
    ])
  }

  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  async kill(): Promise<void> {
    this.killed = true
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

/**
 * Writers work for a while, are killed and started again, and are then held against the database.
 */
async function run(
  location: string,
  options: { seconds: number; kills: boolean; env?: Record<string, string> },
): Promise<Counts & { kills: number }> {
  const env = { ...cloud, ...options.env }
  const all: { number: number; writer: Writer }[] = []
  const start = async (number: number, next: number): Promise<Writer> => {
    const writer = new Writer(location, number, next, env)
    all.push({ number, writer })
    await writer.line('ready')
    return writer
  }
  const living: Writer[] = []
  try {
    // The first one makes the database and its tables.
    for (let number = 0; number < WRITERS; number++) living.push(await start(number, 0))
    const end = performance.now() + options.seconds * 1000
    let kills = 0
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(1500, end - performance.now())))
      if (!options.kills) continue
      const number = kills++ % WRITERS
      await living[number]?.kill()
      // A commit that wasn't acknowledged may have been made: its number is not used again.
      const made = Math.max(...of(all, number).map((writer) => writer.newest))
      living[number] = await start(number, made + 1000)
    }
    const stopped = living.map((writer) => writer.line('stopped'))
    for (const writer of living) writer.tell('stop')
    await Promise.all(stopped)
    const counts = await check(location, all)
    await sameDigests(location, living)
    for (const { writer } of all) if (!writer.killed) expect(writer.errors).toBe('')
    return { ...counts, kills }
  } finally {
    await Promise.all(all.map(({ writer }) => writer.kill()))
  }
}

/** The processes of one number. */
function of(all: readonly { number: number; writer: Writer }[], number: number): Writer[] {
  return all.filter((each) => each.number === number).map(({ writer }) => writer)
}

/** How often the entries of the log put each row of the table of events. */
async function putsInLog(location: string): Promise<Map<string, number>> {
  const log = await openLog(location)
  const puts = new Map<string, number>()
  let events = 0
  try {
    for await (const { payload } of log.readAfter(0)) {
      for (const edit of decodeEdits(payload ?? new Uint8Array(0))) {
        if (edit.type === 'create-table' && edit.name === 'events') events = edit.id
        if (edit.type !== 'records') continue
        readRecords(edit.bytes, (id, _kind, bytes, keyStart, keyEnd) => {
          if (id !== events) return
          const name = String(decodeTuple(bytes.slice(keyStart, keyEnd)))
          puts.set(name, (puts.get(name) ?? 0) + 1)
        })
      }
    }
  } finally {
    await log.close()
  }
  return puts
}

interface Counts {
  commits: number
  transactions: number
  refused: number
}

/**
 * Every acknowledged commit is there, at its version and not before, and nothing is there twice.
 */
async function check(
  location: string,
  all: readonly { number: number; writer: Writer }[],
): Promise<Counts> {
  const puts = await putsInLog(location)
  expect([...puts].filter(([, times]) => times > 1)).toEqual([])
  await using db = await open(location, { mode: 'read' })
  const options = { keys: 'tuple', values: 'json' } as const
  const events = db.table('events', options)
  const found = new Set<string>()
  const moves = new Map<number, number>()
  for await (const [key, row] of events.scan()) {
    found.add(String(key))
    const number = key[0] as number
    if ((row as { moved?: number }).moved !== undefined) {
      moves.set(number, (moves.get(number) ?? 0) + 1)
    }
  }
  const counts = { commits: 0, transactions: 0, refused: 0 }
  const versions = new Map<number, string>()
  for (let number = 0; number < WRITERS; number++) {
    const writers = of(all, number)
    for (const n of writers.flatMap(({ moved }) => moved)) {
      counts.transactions++
      expect(found.has(`${number},${n}`), `transaction ${n} of writer ${number}`).toBe(true)
    }
    for (const n of writers.flatMap(({ refused }) => refused)) {
      counts.refused++
      expect(puts.has(`${number},${n}`), `transaction ${n} of writer ${number}`).toBe(false)
    }
    // Read and written by each transaction: one that was lost or made twice would show.
    expect(await db.table('tally', options).get([number])).toBe(moves.get(number))
    for (const { n, version } of writers.flatMap(({ acks }) => acks)) {
      counts.commits++
      expect(found.has(`${number},${n}`), `commit ${n} of writer ${number}`).toBe(true)
      versions.set(version, `${number},${n}`)
    }
  }
  const sample = [...versions].filter((_, i) => i % Math.ceil(versions.size / 60) === 0)
  for (const [version, name] of sample) {
    const key = name.split(',').map(Number)
    expect(await events.get(key, { at: { version } }), `${name} at ${version}`).toMatchObject({})
    expect(await events.get(key, { at: { version: version - 1 } })).toBeUndefined()
  }
  return counts
}

async function sameDigests(location: string, living: readonly Writer[]): Promise<void> {
  const { version } = await open(location, { mode: 'read' }).then(async (db) => {
    await db.close()
    return db
  })
  const digests = living.map((writer) => writer.line('digest'))
  for (const writer of living) writer.tell(`digest ${version}`)
  expect(new Set(await Promise.all(digests)).size).toBe(1)
}

describe.skipIf(cloud === undefined)('many processes on one database', () => {
  test.each(LONG ? LOGS : (['dynamodb'] as const))(
    'lose nothing that was acknowledged, and agree, while they are killed and started (%s)',
    async (log) => {
      const location = await newLocation(log)
      const { commits, transactions, refused, kills } = await run(location, {
        seconds: SECONDS,
        kills: true,
      })
      console.log(
        `${log}: ${commits} commits and ${transactions} transactions (${refused} given up) by ${WRITERS} processes, ${kills} kills`,
      )
      expect(commits).toBeGreaterThan(20)
      expect(transactions).toBeGreaterThan(5)
    },
    (SECONDS * 2 + 240) * 1000,
  )

  test.each(LONG ? LOGS : (['objects'] as const))(
    '1, 2, 3: one request in ten is lost, loses its answer, is late or arrives twice: all commits succeed, once (%s)',
    async (log) => {
      const location = await newLocation(log)
      const name = log === 'dynamodb' ? 'AWS_ENDPOINT_URL_DYNAMODB' : 'AWS_ENDPOINT_URL_S3'
      let seed = 42
      const random = (): number => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
        return seed / 2 ** 32
      }
      const proxy = await startFaultProxy(cloud?.[name] ?? '', ({ method, path, headers }) => {
        const target = headers['x-amz-target']
        const isCommit =
          target === undefined
            ? method === 'PUT' && path.includes('/log/')
            : String(target).endsWith('PutItem')
        return isCommit
          ? randomFault(random, 0.1, [LOST_REPLY, LOST_REQUEST, late(30), TWICE])
          : undefined
      })
      try {
        const env = { [name]: proxy.endpoint }
        const { commits, transactions } = await run(location, {
          seconds: FAULTY_SECONDS,
          kills: false,
          env,
        })
        console.log(
          `${log}: ${commits} commits and ${transactions} transactions, ${proxy.faults} of ${proxy.requests} spoiled`,
        )
        expect(proxy.faults).toBeGreaterThan(5)
        await proxy.settled()
      } finally {
        await proxy.stop()
      }
    },
    (SECONDS * 2 + 240) * 1000,
  )
})
