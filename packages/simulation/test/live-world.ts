import { Clock } from '../src/clock.js'
import { Decisions } from '../src/decisions.js'
import { Faults } from '../src/faults.js'
import { Network } from '../src/network.js'
import { type Life, SimProcess } from '../src/sim-process.js'
import { World } from '../src/world.js'

/**
 * A simulated world that goes on by itself, for tests that know nothing of it. Nothing fails in it.
 */
export class LiveWorld {
  readonly network: Network
  readonly life: Life
  readonly end: () => void

  constructor(seed = 1) {
    const world = new World(new Decisions(seed))
    this.network = new Network(world, Faults.none('service'), 5)
    const clock = new Clock({ rate: 1, offsetMicros: 0 })
    this.life = new SimProcess(world, 'process', clock, seed).start()
    this.end = world.live()
  }
}
