import { CACHES } from './caches.js'
import { COMMITS } from './commits.js'
import { DISKS } from './disks.js'
import { DROPS } from './drops.js'
import { DURABILITY } from './durability.js'
import { FILES } from './files.js'
import { GROUPS } from './groups.js'
import { INPUTS } from './inputs.js'
import { LOGS } from './logs.js'
import { MEMORY } from './memory.js'
import type { Mutant } from './mutant.js'
import { OWN_WRITES } from './own-writes.js'
import { SEAMS } from './seams.js'
import { SERVICES } from './services.js'
import { SNAPSHOTS } from './snapshots.js'
import { STORES } from './stores.js'
import { TRANSACTIONS } from './transactions.js'
import { TURNS } from './turns.js'
import { UPKEEP } from './upkeep.js'
import { VIEWS } from './views.js'

/** Every bug that the simulation has to find. */
export const MUTANTS: readonly Mutant[] = [
  ...COMMITS,
  ...LOGS,
  ...VIEWS,
  ...UPKEEP,
  ...FILES,
  ...DISKS,
  ...STORES,
  ...CACHES,
  ...TRANSACTIONS,
  ...OWN_WRITES,
  ...GROUPS,
  ...INPUTS,
  ...MEMORY,
  ...DROPS,
  ...SNAPSHOTS,
  ...DURABILITY,
  ...SERVICES,
  ...TURNS,
  ...SEAMS,
]

/** Returns the mutant of this name. Throws if there is none. */
export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`)
  return mutant
}
