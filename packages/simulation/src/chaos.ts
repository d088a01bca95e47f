import type { Decisions } from './decisions.js'
import type { Host } from './host.js'
import type { Theme } from './themes.js'
import type { World } from './world.js'

/** Kinds of events that happen to processes and their clocks. */
export const CHAOS_KINDS = ['crash', 'pause', 'clock jump', 'clock stop', 'clock start'] as const
type ChaosKind = (typeof CHAOS_KINDS)[number]

/** A limit, so that every workload ends. */
const MOST_STRIKES = 60
/** The limit of crashes upon acknowledgements. */
const MOST_UPON_COMMITS = 12
const MOST_WHERE_OFTEN = 40
/** How likely a crash is after an acknowledgement that covers other writes. */
const TELLING = 0.5
/** Longer than a maintenance lease. */
const LONGEST_PAUSE_MS = 45_000
const RESTART_MS = 3000

/** Crashes and pauses processes, and sets their clocks, now and then, at this run's rates. */
export class Chaos {
  readonly counts: Map<ChaosKind, number> = new Map()
  readonly #world: World
  readonly #hosts: readonly Host[]
  readonly #decisions: Decisions
  readonly #everyMs: number
  /** How often each kind strikes, relative to the others. */
  readonly #weights: readonly number[]
  /** How likely an acknowledgement is followed by a crash at once. */
  readonly #uponAcknowledgement: number
  /** The limit of such crashes. */
  readonly #mostUponCommits: number
  #on = true
  #strikes = 0
  /** The number of crashes upon acknowledgements so far. */
  #uponCommits = 0

  constructor(world: World, hosts: readonly Host[], { crashesUponAnswers = false }: Theme) {
    this.#world = world
    this.#hosts = hosts
    this.#decisions = world.decisions.scope('chaos')
    this.#everyMs = this.#decisions.likelihood('everyMs', [100_000, 300, 1000, 4000])
    this.#uponAcknowledgement = this.#decisions.likelihood(
      'upon acknowledgement',
      crashesUponAnswers ? [0.02, 0.05] : [0, 0, 0.02, 0.15],
    )
    this.#mostUponCommits = crashesUponAnswers ? MOST_WHERE_OFTEN : MOST_UPON_COMMITS
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

  /**
   * Called when a client was told of a commit, or that something is durable. Its process or machine
   * may crash before it does anything more; more often if the message covers other writes
   * (`isTelling`).
   */
  acknowledged(host: Host, isTelling: boolean): void {
    if (!this.#on || this.#uponCommits === this.#mostUponCommits) return
    const { life } = host
    const decisions = life.decisions.scope('acknowledged')
    const usual = this.#uponAcknowledgement
    const likelihood = isTelling && usual > 0 ? TELLING : usual
    if (decisions.weigh('crash', [1 - likelihood, likelihood]) === 0) return
    this.#uponCommits++
    this.#world.after(0, life, `${life.name} crashes upon a commit`, () => {
      if (this.#on && host.life === life) this.#crash(host, decisions)
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
    this.#count(kind)
    this.#meet(kind, host, decisions)
  }

  #count(kind: ChaosKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  #crash(host: Host, decisions: Decisions): void {
    this.#count('crash')
    this.#meet('crash', host, decisions)
  }

  #meet(kind: ChaosKind, host: Host, decisions: Decisions): void {
    const { nowMs } = this.#world
    const { clock } = host.process
    if (kind !== 'crash') this.#world.note(`${host.name} meets ${kind}`)
    switch (kind) {
      case 'crash':
        host.crash()
        // Other processes of the machine would have seen what is lost with it.
        if (this.#hosts.length === 1 && decisions.weigh('machine', [1, 2]) === 1) {
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
        host.life.wokenMs = Math.max(host.life.wokenMs, host.life.pausedUntil)
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

/** A pause that is mostly short. */
function pauseMs(decisions: Decisions): number {
  return (decisions.choose('pause', 1000) / 1000) ** 3 * LONGEST_PAUSE_MS
}
