import { Random } from './random.js'

const CHANCE_STEPS = 1_000_000

/**
 * Everything that a run leaves to chance, drawn one after the other from one seed, and recorded: the
 * list of what was drawn replays the run without its seed, and a list that was made smaller is another
 * run. So 0 is always the dull choice: no fault, no delay, the first of many.
 */
export class Decisions {
  /** What was drawn so far. */
  readonly drawn: number[] = []
  readonly #random: Random
  readonly #recorded: readonly number[] | undefined
  /** Told of every decision, for a trace that shows them. */
  onDraw: ((name: string, drawn: number, bound: number) => void) | undefined

  /** `recorded` decides instead of the seed; past its end everything is 0. */
  constructor(seed: number, recorded?: readonly number[]) {
    this.#random = new Random(seed, 'decisions')
    this.#recorded = recorded
  }

  /** A whole number from 0 to `bound - 1`. */
  choose(name: string, bound: number): number {
    const drawn =
      this.#recorded === undefined
        ? this.#random.below(bound)
        : Math.min(this.#recorded[this.drawn.length] ?? 0, bound - 1)
    this.drawn.push(drawn)
    this.onDraw?.(name, drawn, bound)
    return drawn
  }

  /** A whole number from `least` to `most`. */
  between(name: string, least: number, most: number): number {
    return least + this.choose(name, most - least + 1)
  }

  pick<const T>(name: string, items: readonly [T, ...T[]]): T {
    return items[this.choose(name, items.length)] as T
  }

  /** True with a probability. What can't be or must be isn't drawn. */
  chance(name: string, probability: number): boolean {
    if (probability <= 0) return false
    if (probability >= 1) return true
    return this.choose(name, CHANCE_STEPS) >= CHANCE_STEPS * (1 - probability)
  }
}
