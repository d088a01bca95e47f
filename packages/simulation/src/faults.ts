import { type Decisions, weightsOf } from './decisions.js'
import type { Theme } from './themes.js'

/** Kinds of faults between a client and a service. */
export const FAULT_KINDS = [
  /** The request never arrives. */
  'fail-before',
  /** The request is done, and its answer is lost. */
  'lost-reply',
  /** An error now, and the request is done later. */
  'late-apply',
  /** An error now, and the request is done hours later, when nothing waits for it any more. */
  'very-late',
  /** The request is done, and done again later. */
  'applied-twice',
  /**
   * The request is done twice at once, and the answer is the second one's: a condition meets its
   * own write.
   */
  'own-refusal',
  /** Refused, because another request for the same thing is under way: 409. */
  'conflict',
  /** Refused, because there are too many requests: 503. */
  'throttled',
  /** Both ways take a hundred times as long. */
  'slow',
  /** An empty answer. */
  'empty-reply',
  /** The answer ends early. */
  'truncated',
  /** One bit of the answer is flipped. */
  'flipped',
  /** The answer holds bytes of something else. */
  'wrong-object',
  /** An item in the answer lacks a part. */
  'missing-field',
  /** A list of an earlier state. */
  'stale-list',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** Kinds that garble what is read: with them, a read may end in a `CorruptionError`. */
const DAMAGE: readonly FaultKind[] = ['truncated', 'flipped', 'wrong-object', 'missing-field']

export function isDamage(kind: FaultKind): boolean {
  return DAMAGE.includes(kind)
}

/** Half of the kinds don't happen in a run, so that they don't drown the effects of the others. */
const RATES: readonly [number, ...number[]] = [0, 0, 0, 0, 0.002, 0.01, 0.03, 0.1]
/** Rates of kinds that the run is about. */
const LIKELY: readonly [number, ...number[]] = [0, 0, 0.03, 0.1, 0.2]

/** Faults of requests while a service is out of reach: the request may be done all the same. */
const OF_OUTAGES: readonly FaultKind[] = ['fail-before', 'late-apply', 'lost-reply']
interface OutagesToDraw {
  most: number
  /** How likely each of them may be. */
  likelihoods: readonly [number, ...number[]]
  /** The outages begin within this time: of the run, or after the previous one. */
  withinMs: number
  isChain: boolean
  /** The larger, the more of them are short. */
  power: number
}

const SELDOM_OUT: OutagesToDraw = {
  most: 3,
  likelihoods: [0, 0, 0, 0.5],
  withinMs: 10_000,
  isChain: false,
  power: 2,
}
/** Outages for runs in which no outcome should be certain. */
const OFTEN_OUT: OutagesToDraw = {
  most: 4,
  likelihoods: [0, 0.6, 0.8],
  withinMs: 6000,
  isChain: true,
  power: 1,
}
/** Longer than any process keeps asking about the outcome of a commit. */
const LONGEST_OUTAGE_MS = 90_000

/**
 * How likely a request is the first one of an outage: the request may be a commit that got through.
 */
const BREAKDOWNS: readonly [number, ...number[]] = [0, 0, 0, 0, 0, 0.002]
/** Likelihoods for runs in which no outcome should be certain. */
const OFTEN_DOWN: readonly [number, ...number[]] = [0, 0.003, 0.01, 0.03]
/** A limit, so that every workload ends. */
const MOST_BREAKDOWNS = 4

interface Outage {
  fromMs: number
  toMs: number
}

/** The faults of one service: how likely each kind is in this run, and how often each happened. */
export class Faults {
  readonly service: string
  readonly counts: Map<FaultKind | 'outage', number> = new Map()
  readonly #rates: ReadonlyMap<FaultKind, number>
  readonly #outages: Outage[]
  /** How likely an outage begins with a request. */
  readonly #breakdowns: number
  #breakdownsLeft = MOST_BREAKDOWNS
  /** Weights by list of kinds, computed once. */
  readonly #weights: Map<readonly FaultKind[], readonly number[]> = new Map()
  #on = true

  constructor(
    service: string,
    rates: ReadonlyMap<FaultKind, number>,
    { outages = [], breakdowns = 0 }: { outages?: readonly Outage[]; breakdowns?: number } = {},
  ) {
    this.service = service
    this.#rates = rates
    this.#outages = [...outages]
    this.#breakdowns = breakdowns
  }

  /** Draws a rate for each kind, zero included, and times at which nothing gets through. */
  static draw(service: string, decisions: Decisions, theme: Theme): Faults {
    const { faults: likely = [], hasOutages = false } = theme
    const ratesOf = (kind: FaultKind): typeof RATES => (likely.includes(kind) ? LIKELY : RATES)
    const rates = new Map(
      FAULT_KINDS.map((kind) => [kind, decisions.likelihood(`${service} ${kind}`, ratesOf(kind))]),
    )
    const outages = drawOutages(service, decisions, hasOutages ? OFTEN_OUT : SELDOM_OUT)
    const rarely = hasOutages ? OFTEN_DOWN : BREAKDOWNS
    const breakdowns = decisions.likelihood(`${service} breakdowns`, rarely)
    return new Faults(service, rates, { outages, breakdowns })
  }

  /** A service that works. */
  static none(service: string): Faults {
    return new Faults(service, new Map())
  }

  /** Whether any answer was garbled so far. */
  get damages(): boolean {
    return DAMAGE.some((kind) => this.counts.has(kind))
  }

  /** Whether something may still go wrong. */
  get areOn(): boolean {
    return this.#on
  }

  /** From now on, the service works. */
  end(): void {
    this.#on = false
  }

  /**
   * Returns the fault that meets a request at this time, out of the possible ones. `decisions`
   * belong to such requests.
   */
  draw(decisions: Decisions, possible: readonly FaultKind[], nowMs: number): FaultKind | undefined {
    if (!this.#on) return undefined
    if (this.#isOut(nowMs) || this.#breaksDown(decisions, nowMs)) {
      this.counts.set('outage', (this.counts.get('outage') ?? 0) + 1)
      const kinds = OF_OUTAGES.filter((kind) => possible.includes(kind))
      return kinds[decisions.choose('in an outage', kinds.length)]
    }
    const kind = possible[decisions.weigh('fault', this.#weightsOf(possible)) - 1]
    if (kind !== undefined) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    return kind
  }

  #isOut(nowMs: number): boolean {
    return this.#outages.some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
  }

  /** Whether an outage begins now. */
  #breaksDown(decisions: Decisions, nowMs: number): boolean {
    const likelihood = this.#breakdowns
    if (likelihood === 0 || this.#breakdownsLeft === 0) return false
    if (decisions.weigh('breaks down', [1 - likelihood, likelihood]) === 0) return false
    this.#breakdownsLeft--
    const lastsMs = (decisions.choose('is down', 1000) / 1000) * LONGEST_OUTAGE_MS
    this.#outages.push({ fromMs: nowMs, toMs: nowMs + lastsMs })
    return true
  }

  /** The weight of no fault, then the weights of the kinds. */
  #weightsOf(possible: readonly FaultKind[]): readonly number[] {
    let weights = this.#weights.get(possible)
    if (weights === undefined) {
      weights = weightsOf(possible.map((kind) => this.#rates.get(kind) ?? 0))
      this.#weights.set(possible, weights)
    }
    return weights
  }
}

function drawOutages(
  service: string,
  decisions: Decisions,
  { most, likelihoods, withinMs, isChain, power }: OutagesToDraw,
): Outage[] {
  const outages: Outage[] = []
  const likelihood = decisions.likelihood(`${service} outages`, likelihoods)
  for (let i = 0; i < most; i++) {
    const own = decisions.scope(service).scope(`outage ${i}`)
    if (own.weigh('happens', [1 - likelihood, likelihood]) === 0) continue
    const afterMs = isChain ? (outages.at(-1)?.toMs ?? 0) : 0
    const fromMs = own.moment('at', afterMs, withinMs)
    const share = own.choose('lasts', 1000) / 1000
    outages.push({ fromMs, toMs: fromMs + share ** power * LONGEST_OUTAGE_MS })
  }
  return outages
}
