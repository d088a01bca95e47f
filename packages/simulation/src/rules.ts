import type { Timeline } from './replay.js'
import { RULED } from './tables.js'

/**
 * Rules that transactions keep for the table `ruled`, even while others write to it. Each
 * transaction reads, and writes what follows from that, so that one lost or partly seen update
 * breaks a rule from then on. A value is its meaning, a colon, and a unique number.
 *
 * - bank: money moves between accounts, and none is created or lost;
 * - cycle: each place names the next one, and from any place all of them can be reached;
 * - append: a list only grows at its end.
 */
export const ACCOUNTS: readonly string[] = ['account-0', 'account-1', 'account-2', 'account-3']
export const PLACES: readonly string[] = Array.from({ length: 6 }, (_, i) => `place-${i}`)
export const LISTS: readonly string[] = ['list-0', 'list-1']

/** The balance of an account before any write. */
const FIRST_BALANCE = 100

/** The table's contents, as far as they were read. */
export type Ruled = ReadonlyMap<string, string | undefined>

export function balanceOf(account: string, ruled: Ruled): number {
  const value = ruled.get(account)
  return value === undefined ? FIRST_BALANCE : Number(meaningOf(value))
}

/** Returns the place after this one. */
export function nextOf(place: string, ruled: Ruled): string {
  const value = ruled.get(place)
  if (value !== undefined) return meaningOf(value)
  return PLACES[(PLACES.indexOf(place) + 1) % PLACES.length] as string
}

/** Returns what is wrong with the whole table, as of one version; `undefined` if nothing is. */
export function brokenRule(ruled: Ruled): string | undefined {
  const total = ACCOUNTS.reduce((sum, account) => sum + balanceOf(account, ruled), 0)
  const due = ACCOUNTS.length * FIRST_BALANCE
  if (total !== due) return `the accounts hold ${total} together, not ${due}`
  const [first = ''] = PLACES
  const seen = new Set<string>()
  for (let place = first; !seen.has(place); place = nextOf(place, ruled)) seen.add(place)
  if (seen.size === PLACES.length) return undefined
  return `from ${first} one gets to ${seen.size} of ${PLACES.length} places`
}

/** Checks each version of the log against the rules, whatever its writers had read. */
export function problemsOfRules(log: Pick<Timeline, 'version' | 'changesOf'>): string[] {
  const ruled = new Map<string, string | undefined>()
  for (let version = 1; version <= log.version; version++) {
    const changes = log.changesOf(version).filter(({ table }) => table === RULED)
    for (const { key, value } of changes) {
      const before = ruled.get(key)
      if (LISTS.includes(key) && value?.startsWith(before ?? '') !== true) {
        return [`${key} loses something at ${version}: ${before}, then ${value}`]
      }
      ruled.set(key, value)
    }
    const broken = changes.length > 0 ? brokenRule(ruled) : undefined
    if (broken !== undefined) return [`${broken}, at ${version}`]
  }
  return []
}

function meaningOf(value: string): string {
  return value.slice(0, value.indexOf(':'))
}
