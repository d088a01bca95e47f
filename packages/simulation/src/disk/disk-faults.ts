import { type Decisions, weightsOf } from '../decisions.js'
import { Random } from '../random.js'
import type { Life } from '../sim-process.js'
import type { World } from '../world.js'
import { changesDisk, type DiskCall, type DiskFault, takesSpace } from './disk-call.js'
import type { DiskWeather } from './disk-user.js'
import { someOf } from './survival.js'

/** Kinds of faults of a disk. */
export const DISK_FAULT_KINDS = [
  /** A call fails, and does nothing. */
  'EIO',
  /** The disk has no room, for once: another process took it. */
  'ENOSPC',
  /** A sync fails. The data may or may not be on the device, and is forgotten. */
  'failed sync',
  /** A write fails after a part of it. */
  'torn write',
  /** A write or read does only a part, and says so. */
  'short',
] as const

export type DiskFaultKind = (typeof DISK_FAULT_KINDS)[number]

const LATENCY_STEPS = 16
/** While a disk is full, every call that needs room fails. */
const LONGEST_FULL_MS = 1000
const FULL_WITHIN_MS = 2000

export interface DiskFaultsOptions {
  /** The purpose of the disk; also the scope of decisions about it. */
  service: string
  /** How long a call takes in a run, in milliseconds. Default: 0.1 to 8. */
  ms?: readonly [number, ...number[]]
  /** How likely a kind may be in a run. */
  rates: readonly [number, ...number[]]
  /** Syncs of files whose paths contain `path` fail at these rates. */
  syncs?: { path: string; rates: readonly [number, ...number[]] } | undefined
  /** Whether removing fails, too: for disks on which leftovers don't matter. Default false. */
  removing?: boolean
  /** How much longer, at most, writes take to files whose paths contain `path`, in milliseconds. */
  slow?: { path: string; mostMs: number }
}

/** The faults of disks: how likely each kind is in this run, and how often each happened. */
export class DiskFaults {
  readonly service: string
  readonly counts: Map<DiskFaultKind | 'full', number> = new Map()
  /** A disk may fail, but never returns other bytes than were written. */
  readonly damages = false
  readonly #world: World
  readonly #removing: boolean
  readonly #rates: ReadonlyMap<DiskFaultKind, number>
  readonly #latencyMs: number
  readonly #slow: DiskFaultsOptions['slow']
  readonly #syncs: { path: string; rate: number } | undefined
  readonly #full: { fromMs: number; toMs: number } | undefined
  #on = true

  constructor(world: World, options: DiskFaultsOptions) {
    const { service, ms = [0.1, 0.1, 2, 8], rates, syncs, removing = false, slow } = options
    this.#world = world
    this.#slow = slow
    this.service = service
    this.#removing = removing
    const decisions = world.decisions.scope(service)
    this.#latencyMs = decisions.pick('ms', ms)
    this.#rates = new Map(DISK_FAULT_KINDS.map((kind) => [kind, decisions.likelihood(kind, rates)]))
    if (syncs !== undefined) {
      this.#syncs = { path: syncs.path, rate: decisions.likelihood('failed syncs', syncs.rates) }
    }
    if (decisions.weigh('full', [1, decisions.likelihood('full', [0, 1])]) === 1) {
      const fromMs = decisions.moment('full at', 0, FULL_WITHIN_MS)
      this.#full = { fromMs, toMs: fromMs + decisions.choose('full for', LONGEST_FULL_MS) }
    }
  }

  /** From now on, the disks work. */
  end(): void {
    this.#on = false
  }

  /** Returns the weather for the calls of one process. */
  weatherFor(life: Life): DiskWeather {
    const all = life.decisions.scope(this.service)
    return {
      meet: (call) => this.#meet(call, life.name, all.scope(call.kind)),
      latencyMs: (call) => {
        const own = all.scope(call.kind)
        const steps = 1 + own.choose('latency', LATENCY_STEPS)
        return (this.#latencyMs * steps) / LATENCY_STEPS + this.#longerMs(call, own)
      },
      failSync: () => someOf(new Random(all.choose('left of a sync', 1_000_000), 'sync')),
    }
  }

  #longerMs({ kind, path }: DiskCall, decisions: Decisions): number {
    const { path: slow, mostMs } = this.#slow ?? { path: '', mostMs: 0 }
    if (!this.#on || mostMs === 0 || kind !== 'write' || !path.includes(slow)) return 0
    return (mostMs * decisions.choose('longer', LATENCY_STEPS + 1)) / LATENCY_STEPS
  }

  #meet(call: DiskCall, who: string, decisions: Decisions): DiskFault | undefined {
    if (!this.#on) return undefined
    const { nowMs } = this.#world
    if (this.#full !== undefined && takesSpace(call)) {
      if (this.#full.fromMs <= nowMs && nowMs < this.#full.toMs) {
        this.#count('full')
        return { code: 'ENOSPC' }
      }
    }
    const possible = DISK_FAULT_KINDS.filter((kind) => this.#canMeet(kind, call))
    const weights = weightsOf(possible.map((kind) => this.#rateOf(kind, call)))
    const kind = possible[decisions.weigh('fault', weights) - 1]
    if (kind === undefined) return undefined
    this.#count(kind)
    this.#world.note(`${who}: ${call.kind} ${call.path} meets ${kind}`)
    const share = (): number => (1 + decisions.choose('share', 7)) / 8
    switch (kind) {
      case 'ENOSPC':
        return { code: 'ENOSPC' }
      case 'torn write':
        return { code: 'EIO', share: share() }
      case 'short':
        return { share: share() }
      default:
        return { code: 'EIO' }
    }
  }

  #count(kind: DiskFaultKind | 'full'): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  #rateOf(kind: DiskFaultKind, call: DiskCall): number {
    const usual = this.#rates.get(kind) ?? 0
    if (kind !== 'failed sync' || this.#syncs === undefined) return usual
    return call.path.includes(this.#syncs.path) ? Math.max(usual, this.#syncs.rate) : usual
  }

  #canMeet(kind: DiskFaultKind, call: DiskCall): boolean {
    switch (kind) {
      case 'ENOSPC':
        return takesSpace(call)
      case 'failed sync':
        return call.kind === 'sync' || call.kind === 'sync directory'
      case 'torn write':
        return call.kind === 'write'
      case 'short':
        return call.bytes > 1
      default:
        if (call.kind === 'remove') return this.#removing
        return !changesDisk(call) || takesSpace(call)
    }
  }
}
