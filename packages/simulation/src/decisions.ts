import { hashOf, Random } from './random.js'

/** Decisions that aren't 0, by their names. */
export type DecisionMap = ReadonlyMap<string, number>

/**
 * The prefix of decisions that a record makes for every place without a decision of its own:
 * `everywhere/latency` is the latency of everything that isn't named.
 */
export const EVERYWHERE = 'everywhere/'

/**
 * Makes every random choice of a run. Each decision has its own name: its scope, what is decided,
 * and a number if the same is decided there again. Its value follows from the seed and that name
 * alone, so that one decision more or less leaves the others as they were.
 *
 * 0 is always the dull choice: no fault, no delay, no operation, the first of many. Decisions other
 * than 0 are recorded, and a record can decide instead of a seed; a decision that it doesn't name,
 * by itself or by `EVERYWHERE`, is 0. The record of a run makes the same run, and a smaller record
 * a smaller run, which is how `shrink` works.
 *
 * Scopes are the lives of processes, in these sessions and services, in these steps and kinds of
 * requests: `writer1.2/0/7/key` is the key of the eighth step of the first session in the second
 * life of `writer1`; `reader1.1/store/get/fault#3` is the fault of the fourth get of that life.
 */
export class Decisions {
  /** All decisions so far that aren't 0, in all scopes. */
  readonly made: Map<string, number>
  readonly #seed: number
  readonly #recorded: DecisionMap | undefined
  /** The prefix of every name. */
  readonly #path: string
  readonly #pathHash: number
  readonly #scopes: Map<string, Decisions> = new Map()
  /** How often each thing was decided in this scope. */
  readonly #counts: Map<string, number> = new Map()

  /** `recorded` decides instead of the seed. */
  constructor(
    seed: number,
    recorded?: DecisionMap,
    path = '',
    made: Map<string, number> = new Map(),
  ) {
    this.#seed = seed
    this.#recorded = recorded
    this.#path = path
    this.#pathHash = hashOf(path)
    this.made = made
  }

  /** Returns the decisions of one part; always the same object for the same name. */
  scope(name: string): Decisions {
    let scope = this.#scopes.get(name)
    if (scope === undefined) {
      const path = `${this.#path}${name}/`
      scope = new Decisions(this.#seed, this.#recorded, path, this.made)
      this.#scopes.set(name, scope)
    }
    return scope
  }

  /** A whole number from 0 to `bound - 1`. */
  choose(name: string, bound: number): number {
    return this.#decide(name, bound - 1, (random) => random.below(bound))
  }

  /** A whole number from `least` to `most`; `least` is dull. */
  between(name: string, least: number, most: number): number {
    return least + this.choose(name, most - least + 1)
  }

  /** A whole number from `-most` to `most`; 0 is dull. */
  around(name: string, most: number): number {
    const drawn = this.choose(name, 2 * most + 1)
    return drawn % 2 === 1 ? (drawn + 1) / 2 : 0 - drawn / 2
  }

  /** One of several; the first is dull. */
  pick<const T>(name: string, items: readonly [T, ...T[]]): T {
    return items[this.choose(name, items.length)] as T
  }

  /**
   * Returns the index of one of several weights, each as likely as its weight. If the first weighs
   * 0, it comes up only when the decision is removed.
   */
  weigh(name: string, weights: readonly number[]): number {
    return this.#decide(name, weights.length - 1, (random) => {
      let left = random.number() * weights.reduce((sum, weight) => sum + weight, 0)
      const place = weights.findIndex((weight) => {
        left -= weight
        return left < 0
      })
      return Math.max(0, place)
    })
  }

  /** A time up to `withinMs` after another one. It keeps its place if that other one moves. */
  moment(name: string, afterMs: number, withinMs: number): number {
    const most = Number.MAX_SAFE_INTEGER
    const drawn = this.#decide(name, most, (random) => Math.ceil(afterMs) + random.below(withinMs))
    return Math.max(afterMs, drawn)
  }

  /**
   * How likely something is in a seed's run. This is no decision, because the things that happen
   * are decisions. A record can't tell it, so it returns the first.
   */
  likelihood<const T>(name: string, items: readonly [T, ...T[]]): T {
    if (this.#recorded !== undefined) return items[0]
    return items[new Random(this.#seed, this.#path + name).below(items.length)] as T
  }

  #decide(name: string, most: number, draw: (random: Random) => number): number {
    const count = this.#counts.get(name) ?? 0
    this.#counts.set(name, count + 1)
    const own = count === 0 ? name : `${name}#${count}`
    const recorded = this.#recorded
    if (recorded !== undefined) return this.#repeat(recorded, this.#path + own, name, most)
    const decided = draw(new Random(this.#seed, hashOf(own, this.#pathHash)))
    if (decided !== 0) this.made.set(this.#path + own, decided)
    return decided
  }

  /** Returns what the record says. */
  #repeat(recorded: DecisionMap, full: string, name: string, most: number): number {
    const key = recorded.has(full) ? full : EVERYWHERE + name
    const decided = Math.min(recorded.get(key) ?? 0, most)
    if (decided !== 0) this.made.set(key, key === full ? decided : (recorded.get(key) as number))
    return decided
  }
}

/** Weights for `weigh`: nothing, and then things that happen at these rates. */
export function weightsOf(rates: readonly number[]): readonly number[] {
  return [Math.max(0, 1 - rates.reduce((sum, rate) => sum + rate, 0)), ...rates]
}
