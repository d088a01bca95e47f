import { TestEnv } from '@firn/env/testing'
import { describe, expect, test } from 'vitest'
import { BackgroundWork } from '../../src/internal/maintenance/background-work.js'

function counted(): { work: BackgroundWork; steps: () => number } {
  let steps = 0
  const work = new BackgroundWork({
    env: new TestEnv(),
    step: async () => {
      steps++
      return false
    },
    onRetry: () => {},
    onGiveUp: () => {},
  })
  return { work, steps: () => steps }
}

/** Microtasks that a run of one step takes, and some more. */
const TURNS = [...Array(16).keys()]

describe('work that is asked for while a run of it ends is done', () => {
  test.each(TURNS)('by a poke, after %i turns', async (turns) => {
    const { work, steps } = counted()
    work.poke()
    for (let i = 0; i < turns; i++) await undefined
    const before = steps()
    work.poke()
    while (work.running) await undefined
    expect(steps()).toBeGreaterThan(before)
  })

  test.each(TURNS)('before a drain resolves, after %i turns', async (turns) => {
    const { work, steps } = counted()
    work.poke()
    for (let i = 0; i < turns; i++) await undefined
    const before = steps()
    await work.drain()
    expect(steps()).toBeGreaterThan(before)
  })
})
