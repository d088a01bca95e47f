import type { Decisions } from '../decisions.js'
import { Random } from '../random.js'

/** Changes are numbered in the order in which they were made, all of a disk together. */
export type Order = number

/** Which changes that weren't synced outlive a crash of the machine. */
export interface Survival {
  /** Asked once for each sector that was written, name that was changed, and length. */
  keeps(order: Order): boolean
}

/** Only what was synced. */
export const NOTHING: Survival = { keeps: () => false }

/** All of it: the process crashed, not the machine. */
export const EVERYTHING: Survival = { keeps: () => true }

/** Any of it, each sector and each name by itself. */
export function someOf(random: Random): Survival {
  return { keeps: () => random.below(2) === 1 }
}

/** What came first, up to some change, which is torn. */
export function upTo(last: Order, random: Random): Survival {
  return { keeps: (order) => order < last || (order === last && random.below(2) === 1) }
}

/** Of those of `drawSurvival`: what loses more tells more. */
const LIKELIHOODS: readonly number[] = [1, 3, 2, 2]

/** One of these, of a disk whose latest change has this number. */
export function drawSurvival(decisions: Decisions, order: Order): Survival {
  const random = new Random(decisions.choose('what survives', 1_000_000), 'survival')
  const survivals = [EVERYTHING, NOTHING, someOf(random), upTo(order - random.below(8), random)]
  return survivals[decisions.weigh('survival', LIKELIHOODS)] ?? EVERYTHING
}
