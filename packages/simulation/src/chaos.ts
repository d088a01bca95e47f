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
  readonly #everyMs: number
  readonly #weights: readonly (readonly [ChaosKind, number])[]
  #on = true
  #strikes = 0

  constructor(world: World, hosts: readonly Host[]) {
    const { decisions } = world
    this.#world = world
    this.#hosts = hosts
    this.#everyMs = decisions.pick('chaos.everyMs', [100_000, 300, 1000, 4000])
    this.#weights = CHAOS_KINDS.map((kind) => [kind, decisions.pick(`chaos.${kind}`, [0, 1, 3])])
  }

  start(): void {
    const delayMs = this.#world.decisions.choose('chaos in', this.#everyMs * 2)
    this.#world.after(delayMs, undefined, 'chaos', () => {
      if (!this.#on || this.#strikes++ === MOST_STRIKES) return
      this.#strike(this.#world.decisions)
      this.start()
    })
  }

  end(): void {
    this.#on = false
    for (const { process } of this.#hosts) process.clock.start()
  }

  #strike(decisions: Decisions): void {
    const total = this.#weights.reduce((sum, [, weight]) => sum + weight, 0)
    if (total === 0) return
    let left = decisions.choose('chaos.kind', total)
    const kind = this.#weights.find(([, weight]) => {
      left -= weight
      return left < 0
    })?.[0]
    const host = this.#hosts[decisions.choose('chaos.host', this.#hosts.length)]
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
        clock.jump(decisions.between('years', -10, 10))
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
