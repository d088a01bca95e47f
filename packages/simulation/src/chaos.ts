import type { Decisions } from './decisions.js'
import type { Host } from './host.js'
import type { World } from './world.js'

/** What happens to processes and their clocks. */
export const CHAOS_KINDS = ['crash', 'pause', 'clock jump', 'clock stop', 'clock start'] as const
type ChaosKind = (typeof CHAOS_KINDS)[number]

/** So that every workload comes to its end. */
const MOST_STRIKES = 60
/** Longer than a lease for maintenance. */
const LONGEST_PAUSE_MS = 45_000
const RESTART_MS = 3000

/** Crashes and pauses processes, and sets their clocks, now and then, as often as this run's rates say. */
export class Chaos {
  readonly counts: Map<ChaosKind, number> = new Map()
  readonly #world: World
  readonly #hosts: readonly Host[]
  readonly #decisions: Decisions
  readonly #everyMs: number
  /** How often each kind strikes, next to the others. */
  readonly #weights: readonly number[]
  #on = true
  #strikes = 0

  constructor(world: World, hosts: readonly Host[]) {
    this.#world = world
    this.#hosts = hosts
    this.#decisions = world.decisions.scope('chaos')
    this.#everyMs = this.#decisions.likelihood('everyMs', [100_000, 300, 1000, 4000])
    this.#weights = CHAOS_KINDS.map((kind) => this.#decisions.likelihood(kind, [0, 1, 3]))
  }

  start(): void {
    if (this.#strikes === MOST_STRIKES) return
    const { nowMs } = this.#world
    const decisions = this.#decisions.scope(String(this.#strikes++))
    const atMs = decisions.moment('at', nowMs, this.#everyMs * 2)
    this.#world.after(atMs - nowMs, undefined, 'chaos', () => {
      if (!this.#on) return
      this.#strike(decisions)
      this.start()
    })
  }

  end(): void {
    this.#on = false
    for (const { process } of this.#hosts) process.clock.start()
  }

  #strike(decisions: Decisions): void {
    const kind = CHAOS_KINDS[decisions.weigh('kind', [0, ...this.#weights]) - 1]
    const host = this.#hosts[decisions.choose('host', this.#hosts.length)]
    if (kind === undefined || host === undefined || !host.life.alive) return
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    this.#meet(kind, host, decisions)
  }

  #meet(kind: ChaosKind, host: Host, decisions: Decisions): void {
    const { nowMs } = this.#world
    const { clock } = host.process
    if (kind !== 'crash') this.#world.note(`${host.name} meets ${kind}`)
    switch (kind) {
      case 'crash':
        host.crash()
        // Others of the machine would have seen what is lost with it.
        if (this.#hosts.length === 1 && decisions.choose('machine', 2) === 1) {
          host.lossWindow.machineCrashed()
          host.simulation.place.crash(decisions)
        }
        host.simulation.place.crashCache(host.process, decisions)
        this.#world.after(
          decisions.choose('restart', RESTART_MS),
          undefined,
          `${host.process.name} is started`,
          () => {
            if (this.#on) host.start()
          },
        )
        return
      case 'pause':
        host.life.pausedUntil = nowMs + pauseMs(decisions)
        return
      case 'clock jump':
        clock.jump(decisions.around('years', 10))
        return
      case 'clock stop':
        clock.stop(nowMs)
        return
      case 'clock start':
        clock.start()
    }
  }
}

/** Mostly short. */
function pauseMs(decisions: Decisions): number {
  return (decisions.choose('pause', 1000) / 1000) ** 3 * LONGEST_PAUSE_MS
}
