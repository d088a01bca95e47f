import type { Timeline } from './replay.js'
import { RULED } from './tables.js'

/**
 * What transactions keep true of the table `ruled`, whoever else writes to it meanwhile. Each of
 * them reads, and writes what follows from that, so that one update that is lost or seen in part
 * breaks a rule from there on. Values are what they mean, a colon, and a number that no other value
 * has.
 *
 * - bank: money moves between accounts, and none is made or lost;
 * - cycle: each place names the next one, and from any place one gets round all of them;
 * - append: a list only grows at its end.
 */
export const ACCOUNTS: readonly string[] = ['account-0', 'account-1', 'account-2', 'account-3']
export const PLACES: readonly string[] = Array.from({ length: 6 }, (_, i) => `place-${i}`)
export const LISTS: readonly string[] = ['list-0', 'list-1']

/** What an account holds before anything is known of it. */
const FIRST_BALANCE = 100

/** What the table holds, as far as it was read. */
export type Ruled = ReadonlyMap<string, string | undefined>

export function balanceOf(account: string, ruled: Ruled): number {
  const value = ruled.get(account)
  return value === undefined ? FIRST_BALANCE : Number(meaningOf(value))
}

/** The place that comes after one. */
export function nextOf(place: string, ruled: Ruled): string {
  const value = ruled.get(place)
  if (value !== undefined) return meaningOf(value)
  return PLACES[(PLACES.indexOf(place) + 1) % PLACES.length] as string
}

/** What is wrong with all of the table, as of one version; `undefined`: nothing. */
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

/** Holds each version of the log against the rules, whatever those who wrote it had read. */
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
