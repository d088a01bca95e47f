import type { Lease, Leases } from '@firn/commit-log'
import { expect, test } from 'vitest'
import { Clock } from '../src/clock.js'
import { Decisions } from '../src/decisions.js'
import { SimProcess } from '../src/sim-process.js'
import { LeaseWatch } from '../src/watched-leases.js'
import { World } from '../src/world.js'

/** Gives every lease to whoever asks; a holder believes to have so much of it left. */
function giving(leftMs: () => number): Leases {
  const acquire = async (name: string): Promise<Lease> => ({
    name,
    epoch: 1,
    remainingMs: leftMs,
    renew: async () => {},
    release: async () => {},
  })
  return { acquire }
}

test.each([
  [
    'half of its time left',
    500,
    /writer2.1 got the lease work, of which writer1.1 has 500 ms left/,
  ],
  ['what clocks may be off', 200, undefined],
  ['nothing left', 0, undefined],
])('two processes have a lease of which the first has %s', async (_, leftMs, problem) => {
  const world = new World(new Decisions(1))
  const clock = new Clock({ rate: 1, offsetMicros: 0 })
  const watch = new LeaseWatch()
  for (const name of ['writer1', 'writer2']) {
    const life = new SimProcess(world, name, clock, 1).start()
    await watch
      .over(
        giving(() => leftMs),
        life,
      )
      .acquire('work', { durationMs: 1000 })
  }
  const run = world.runUntil(() => true, { withinMs: 1, what: 'nothing' })
  if (problem === undefined) await run
  else await expect(run).rejects.toThrow(problem)
})
