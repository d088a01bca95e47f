import { fillRandom, fillSequential } from './fill.js'
import { cachedGets, uncachedGets } from './gets.js'
import { opening } from './open.js'
import { durablePuts, puts } from './puts.js'
import { scans } from './scans.js'
import type { Group } from './workload.js'
import { ycsb } from './ycsb.js'

/** In the order in which they run; the random fill leaves the database for those after it. */
export const GROUPS: readonly Group[] = [
  fillSequential,
  fillRandom,
  opening,
  cachedGets,
  scans,
  uncachedGets,
  puts,
  durablePuts,
  ycsb,
]
