import type { Decisions } from './decisions.js'

/** What goes wrong between a client and a service. */
export const FAULT_KINDS = [
  /** The request never arrives. */
  'fail-before',
  /** It is done, and its answer gets lost. */
  'lost-reply',
  /** An error now, and it is done later. */
  'late-apply',
  /** It is done, and once more later. */
  'applied-twice',
  /** It is done twice at once, and the answer is that to the second: a condition meets its own write. */
  'own-refusal',
  /** Refused, as another request for the same is under way: 409. */
  'conflict',
  /** Refused, as there are too many: 503. */
  'throttled',
  /** Both ways take a hundred times as long. */
  'slow',
  /** An answer that says nothing. */
  'empty-reply',
  /** The answer ends early. */
  'truncated',
  /** One bit of the answer is flipped. */
  'flipped',
  /** The answer holds bytes of something else. */
  'wrong-object',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** Kinds that garble what is read: where they happen, a read may end in a `CorruptionError`. */
const DAMAGE: readonly FaultKind[] = ['truncated', 'flipped', 'wrong-object']

/** Half of the kinds don't happen in a run, so that what the others lead to isn't drowned. */
const RATES: readonly [number, ...number[]] = [0, 0, 0, 0, 0.002, 0.01, 0.03, 0.1]

/** The faults of one service: how likely each kind is in this run, and how often each happened. */
export class Faults {
  readonly service: string
  readonly counts: Map<FaultKind, number> = new Map()
  readonly #decisions: Decisions
  readonly #rates: ReadonlyMap<FaultKind, number>
  #on = true

  constructor(service: string, decisions: Decisions, rates: ReadonlyMap<FaultKind, number>) {
    this.service = service
    this.#decisions = decisions
    this.#rates = rates
  }

  /** A rate for each kind, zero included. */
  static draw(service: string, decisions: Decisions): Faults {
    const rates = new Map(
      FAULT_KINDS.map((kind) => [kind, decisions.pick(`${service}.rate.${kind}`, RATES)]),
    )
    return new Faults(service, decisions, rates)
  }

  /** A service that works. */
  static none(service: string, decisions: Decisions): Faults {
    return new Faults(service, decisions, new Map())
  }

  get damages(): boolean {
    return DAMAGE.some((kind) => (this.#rates.get(kind) ?? 0) > 0)
  }

  /** From now on the service works. */
  end(): void {
    this.#on = false
  }

  /** The fault that meets a request, out of those that can. */
  draw(possible: readonly FaultKind[]): FaultKind | undefined {
    if (!this.#on) return undefined
    for (const kind of possible) {
      if (!this.#decisions.chance(`${this.service}.${kind}`, this.#rates.get(kind) ?? 0)) continue
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
      return kind
    }
    return undefined
  }
}
