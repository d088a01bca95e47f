import { expect, test } from 'vitest'
import { Clock } from '../src/clock.js'
import { Decisions } from '../src/decisions.js'
import { SimProcess } from '../src/sim-process.js'
import { World } from '../src/world.js'

function makeWorld(seed = 1): World {
  return new World(new Decisions(seed))
}

function makeProcess(world: World, clock = new Clock({ rate: 1, offsetMicros: 0 })): SimProcess {
  return new SimProcess(world, 'p', clock, 1)
}

const HOUR = { withinMs: 3_600_000, what: 'a test' }

test('events come in the order of their times, and of their making', async () => {
  const world = makeWorld()
  const order: string[] = []
  for (const [delayMs, name] of [
    [5, 'c'],
    [1, 'a'],
    [5, 'd'],
    [2, 'b'],
  ] as const) {
    world.after(delayMs, undefined, name, () => order.push(`${name}${world.nowMs}`))
  }
  await world.runOut()
  expect(order).toEqual(['a1', 'b2', 'c5', 'd5'])
})

test('all that follows from an event is done before the next one', async () => {
  const world = makeWorld()
  const order: string[] = []
  world.after(1, undefined, 'first', () => {
    void (async () => {
      for (let i = 0; i < 1000; i++) await undefined
      process.nextTick(() => order.push('first'))
    })()
  })
  world.after(1, undefined, 'second', () => order.push('second'))
  await world.runOut()
  expect(order).toEqual(['first', 'second'])
})

test('a promise that nothing will settle ends the run', async () => {
  const world = makeWorld()
  await expect(world.runUntil(() => false, HOUR)).rejects.toThrow(/nothing is going to happen/)
})

test('a run that takes too long is ended', async () => {
  const world = makeWorld()
  const again = (): void => void world.after(1000, undefined, 'again', again)
  again()
  await expect(world.runUntil(() => false, HOUR)).rejects.toThrow(/not done after 3600000 ms/)
})

test('a process that crashed hears of nothing any more', async () => {
  const world = makeWorld()
  const life = makeProcess(world).start()
  let slept = 0
  void life.env.sleep(10).then(() => slept++)
  world.after(5, undefined, 'crash', () => {
    life.alive = false
  })
  await world.runOut()
  expect(slept).toBe(0)
})

test('a process that is paused goes on later', async () => {
  const world = makeWorld()
  const life = makeProcess(world).start()
  life.pausedUntil = 500
  let wokeAt = 0
  void life.env.sleep(10).then(() => {
    wokeAt = world.nowMs
  })
  await world.runOut()
  expect(wokeAt).toBe(500)
})

test('a sleep that is aborted ends with the reason, and leaves nothing behind', async () => {
  const world = makeWorld()
  const { env } = makeProcess(world).start()
  const abort = new AbortController()
  const slept = env.sleep(1000, abort.signal)
  world.after(5, undefined, 'abort', () => abort.abort('enough'))
  const rejected = expect(slept).rejects.toBe('enough')
  await world.runOut()
  await rejected
  expect(world.nowMs).toBe(5)
})

test('a clock that is off shows other times, and a monotonic one never goes back', async () => {
  const world = makeWorld()
  const clock = new Clock({ rate: 0.5, offsetMicros: 0 })
  const { env } = makeProcess(world, clock).start()
  const [wall, monotonic] = [env.now(), env.monotonic()]
  world.after(1000, undefined, 'later', () => {})
  await world.runOut()
  expect(env.now() - wall).toBe(500_000)
  expect(env.monotonic() - monotonic).toBe(500)
  clock.jump(-3)
  expect(env.now()).toBeLessThan(wall)
  expect(env.monotonic() - monotonic).toBe(500)
})

test('a process draws its own randomness, and again the same for the same seed', () => {
  const [one, two] = [makeProcess(makeWorld()), makeProcess(makeWorld())]
  const ids = (process: SimProcess): string => String(process.start().env.randomBytes(16))
  const [first, second] = [ids(one), ids(one)]
  expect(first).not.toBe(second)
  expect([ids(two), ids(two)]).toEqual([first, second])
})
