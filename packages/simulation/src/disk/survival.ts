import type { Decisions } from '../decisions.js'
import { Random } from '../random.js'

/** The number of a change: all changes of a disk are counted in their order. */
export type Order = number

/** Decides which changes that weren't synced survive a crash of the machine. */
export interface Survival {
  /** Called once for each sector that was written, name that was changed, and length. */
  keeps(order: Order): boolean
}

/** Keeps only what was synced. */
export const NOTHING: Survival = { keeps: () => false }

/** Keeps everything: the process crashed, not the machine. */
export const EVERYTHING: Survival = { keeps: () => true }

/** Keeps any of it, each sector and each name by itself. */
export function someOf(random: Random): Survival {
  return { keeps: () => random.below(2) === 1 }
}

/** Keeps the changes up to some change, which is torn. */
export function upTo(last: Order, random: Random): Survival {
  return { keeps: (order) => order < last || (order === last && random.below(2) === 1) }
}

/** Likelihoods for `drawSurvival`: losing more reveals more. */
const LIKELIHOODS: readonly number[] = [1, 3, 2, 2]

/** Draws one of these, for a disk whose latest change has this number. */
export function drawSurvival(decisions: Decisions, order: Order): Survival {
  const random = new Random(decisions.choose('what survives', 1_000_000), 'survival')
  const survivals = [EVERYTHING, NOTHING, someOf(random), upTo(order - random.below(8), random)]
  return survivals[decisions.weigh('survival', LIKELIHOODS)] ?? EVERYTHING
}
