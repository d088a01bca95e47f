import { describe, expect, test } from 'vitest'
import { type Env, InvalidArgumentError, systemEnv, TimeSlice } from '../src/index.js'

/** A clock that each look moves on, and turns of the event loop that come when they are told to. */
class Loop {
  nowMs = 0
  looks = 0
  msPerLook = 0
  #waiting: (() => void)[] = []

  readonly env: Env = {
    ...systemEnv,
    monotonic: () => {
      this.looks++
      this.nowMs += this.msPerLook
      return this.nowMs
    },
    yield: () => new Promise((resolve) => this.#waiting.push(resolve)),
  }

  async turn(): Promise<void> {
    for (const resolve of this.#waiting.splice(0)) resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Steps until it is told to wait. */
function stepsUntilTurn(slice: TimeSlice, onStep: () => void = () => {}): number {
  for (let steps = 1; steps < 1_000_000; steps++) {
    onStep()
    if (slice.step() !== undefined) return steps
  }
  return Number.POSITIVE_INFINITY
}

describe('TimeSlice', () => {
  test('has work wait when its time is over, and go on after a turn', async () => {
    const loop = new Loop()
    const slice = new TimeSlice(loop.env, 10)
    expect(slice.look()).toBeUndefined()
    loop.nowMs = 9.9
    expect(slice.look()).toBeUndefined()
    loop.nowMs = 10
    const turn = slice.look()
    expect(turn).toBeInstanceOf(Promise)
    expect(slice.look()).toBe(turn)
    let goesOn = false
    void turn?.then(() => {
      goesOn = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(goesOn).toBe(false)
    await loop.turn()
    expect(goesOn).toBe(true)
    expect(slice.look()).toBeUndefined()
  })

  test('asks nothing of work that has turns anyway, however long it goes on', async () => {
    const loop = new Loop()
    const slice = new TimeSlice(loop.env, 8)
    for (let i = 0; i < 200; i++) {
      loop.nowMs += 5
      expect(slice.look()).toBeUndefined()
      await loop.turn()
    }
  })

  test('rarely reads the clock for steps that take little', () => {
    const loop = new Loop()
    const slice = new TimeSlice(loop.env, 8)
    for (let i = 0; i < 10_000; i++) {
      loop.nowMs += 0.0005
      expect(slice.step()).toBeUndefined()
    }
    expect(loop.looks).toBeLessThan(200)
    expect(loop.looks).toBeGreaterThan(100)
  })

  test('looks at the clock at each step where steps take long', async () => {
    const loop = new Loop()
    const slice = new TimeSlice(loop.env, 8)
    const slow = (): void => {
      loop.nowMs += 3
    }
    stepsUntilTurn(slice, slow)
    await loop.turn()
    // The first of these begins the slice.
    expect(stepsUntilTurn(slice, slow)).toBeLessThanOrEqual(4)
  })

  test('holds up all who share it, soon after its end', async () => {
    const loop = new Loop()
    const slice = new TimeSlice(loop.env, 8)
    loop.msPerLook = 1
    stepsUntilTurn(slice)
    // 32 more who work side by side: each of them waits, and none goes on for long.
    for (let i = 0; i < 32; i++) expect(stepsUntilTurn(slice)).toBeLessThanOrEqual(8)
    await loop.turn()
    expect(stepsUntilTurn(slice)).toBeGreaterThan(8)
  })

  test('of no length gives a turn at every other step', async () => {
    const loop = new Loop()
    const slice = new TimeSlice(loop.env, 0)
    for (let i = 0; i < 5; i++) {
      expect(stepsUntilTurn(slice)).toBe(2)
      await loop.turn()
    }
    expect(stepsUntilTurn(new TimeSlice(loop.env, Number.POSITIVE_INFINITY))).toBe(
      Number.POSITIVE_INFINITY,
    )
  })

  test('takes no length that is none', () => {
    for (const sliceMs of [-1, Number.NaN, '8' as never, null as never]) {
      expect(() => new TimeSlice(systemEnv, sliceMs)).toThrow(InvalidArgumentError)
    }
  })
})
