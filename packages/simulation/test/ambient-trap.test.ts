import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { setTimeout as later } from 'node:timers/promises'
import { systemEnv } from '@firn/env'
import { expect, test } from 'vitest'
import { outside, trapAmbientWorld } from '../src/ambient-trap.js'
import type { Violation } from '../src/violation.js'

const USES: [string, () => unknown][] = [
  ['Date.now', () => Date.now()],
  ['new Date()', () => new Date()],
  ['Date()', () => Date()],
  ['Math.random', () => Math.random()],
  ['performance.now', () => performance.now()],
  ['setTimeout', () => setTimeout(() => {}, 0)],
  ['setInterval', () => setInterval(() => {}, 1)],
  ['setImmediate', () => setImmediate(() => {})],
  ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1))],
  ['crypto.randomUUID', () => crypto.randomUUID()],
  ['node:crypto.randomBytes', () => randomBytes(1)],
  ['node:timers/promises.setTimeout', () => later(0)],
  ['node:fs.mkdirSync', () => mkdirSync('/')],
  ['node:fs/promises.open', () => openFile('/')],
  ['systemEnv.now', () => systemEnv.now()],
  ['systemEnv.monotonic', () => systemEnv.monotonic()],
  ['systemEnv.random', () => systemEnv.random()],
  ['systemEnv.randomBytes', () => systemEnv.randomBytes(1)],
  ['systemEnv.sleep', () => systemEnv.sleep(1)],
  ['systemEnv.yield', () => systemEnv.yield()],
  ['systemEnv.hold', () => systemEnv.hold?.()],
]

/** What happens within the trap, without anybody else being caught in it. */
function trapped(use: () => unknown): { leaks: Violation[]; thrown: unknown } {
  const leaks: Violation[] = []
  const restore = trapAmbientWorld((violation) => leaks.push(violation))
  let thrown: unknown
  try {
    use()
  } catch (error) {
    thrown = error
  } finally {
    restore()
  }
  return { leaks, thrown }
}

test.each(USES)('%s leaks, and is told of', (name, use) => {
  const { leaks, thrown } = trapped(use)
  expect(leaks.map(({ message }) => message)).toEqual([expect.stringContaining(name)])
  expect(thrown).toBe(leaks[0])
})

test('what depends on nothing but its arguments is let pass', () => {
  const { leaks, thrown } = trapped(() => {
    const date = new Date(0)
    if (!(date instanceof Date) || date.getTime() !== 0) throw new Error('not that date')
    return Math.max(1, Date.UTC(2020))
  })
  expect({ leaks, thrown }).toEqual({ leaks: [], thrown: undefined })
})

test('the simulation itself may turn to the real world', () => {
  const { leaks } = trapped(() => outside(() => Date.now()))
  expect(leaks).toEqual([])
})

test('afterwards the real world is back', () => {
  trapped(() => {})
  expect(Date.now()).toBeGreaterThan(0)
  expect(systemEnv.now()).toBeGreaterThan(0)
  expect(Math.random()).toBeLessThan(1)
  expect(randomBytes(1)).toHaveLength(1)
})
