import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LONG, tempDirectory } from '@firn/test-support'
import { expect, test } from 'vitest'
import { type OpenOptions, open } from '../../src/index.js'

const KILLS = LONG ? 80 : 12
const CHILD = fileURLToPath(new URL('../support/committing-child.mjs', import.meta.url))

// Flushes and compactions all the time, so that the kill finds them under way.
const BUSY: OpenOptions = {
  memtableBytes: 32 * 1024,
  tuning: {
    blockBytes: 1024,
    targetFileBytes: 16 * 1024,
    levelBaseBytes: 64 * 1024,
    level0Trigger: 2,
    inlineLimitBytes: 2000,
  },
}

interface Acknowledged {
  n: number
  version: number
}

/**
 * Runs a child until it acknowledged `commits` commits (it is busy with the next ones), kills it.
 */
async function commitAndKill(
  location: string,
  first: number,
  commits: number,
): Promise<Acknowledged[]> {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      CHILD,
      location,
      String(first),
      JSON.stringify({ ...BUSY, compaction: first % 2 ? 'inline' : 'worker' }),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  let errors = ''
  child.stderr?.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString()
    if (output.split('\n').length > commits + 1) child.kill('SIGKILL')
  })
  await ended
  expect(errors).toBe('')
  // The last line may be cut: then its commit was not acknowledged.
  const whole = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return whole
    .filter((line) => line !== '')
    .map((line) => {
      const [n, version] = line.split(' ').map(Number)
      return { n: n as number, version: version as number }
    })
}

async function check(location: string, acknowledged: readonly Acknowledged[]): Promise<number> {
  await using db = await open(location, { compaction: 'off' })
  const orders = db.table<unknown[], { n: number; rows: number }>('orders')
  const lines = db.table<unknown[], { n: number; i: number; text: string }>('lines')
  const found = new Map<number, number>()
  for (const page of await orders.scan().toArray()) {
    const [[key], { n, rows }] = page as [unknown[], { n: number; rows: number }]
    if (typeof key === 'number') {
      expect(n).toBe(key)
      found.set(n, rows)
    }
  }
  for (const { n } of acknowledged) expect(found.has(n), `order ${n} was acknowledged`).toBe(true)
  // Whole: every order, acknowledged or not, has all of its lines, and no line is without its
  // order.
  const counts = new Map<number, number>()
  for await (const [[n, i], line] of lines.scan()) {
    expect(line).toEqual({ n, i, text: 'x'.repeat(((n as number) * 31) % 200) })
    counts.set(n as number, (counts.get(n as number) ?? 0) + 1)
  }
  for (const [n, rows] of found) expect(counts.get(n) ?? 0, `lines of order ${n}`).toBe(rows)
  for (const n of counts.keys()) expect(found.has(n), `order of lines ${n}`).toBe(true)
  // In order: as of each version, exactly the orders acknowledged with it and before it.
  const sample = acknowledged.filter((_, i) => i % 17 === 0)
  for (const { n, version } of sample) {
    const at = { version }
    expect(await orders.get([n], { at })).toMatchObject({ n })
    const later = acknowledged.find((other) => other.version > version)
    if (later !== undefined) expect(await orders.get([later.n], { at })).toBeUndefined()
    expect(await orders.get([n], { at: { version: version - 1 } })).toBeUndefined()
  }
  return Math.max(-1, ...found.keys())
}

test.each(['file', 'objects'])(
  '30: whatever was acknowledged before a kill -9 is there after it, whole and in order (%s log)',
  async (log) => {
    const directory = tempDirectory()
    const location = `file:${directory}${log === 'objects' ? '?log=objects' : ''}`
    const acknowledged: Acknowledged[] = []
    let next = 0
    let seed = 1
    for (let kill = 0; kill < KILLS / 2; kill++) {
      seed = (seed * 16807) % 2147483647
      acknowledged.push(...(await commitAndKill(location, next, seed % 60)))
      next = (await check(location, acknowledged.slice(-200))) + 1
    }
    await check(location, acknowledged)
    expect(acknowledged.length).toBeGreaterThan(KILLS)
  },
  900_000,
)
