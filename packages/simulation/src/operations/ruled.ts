import type { Seen } from '../history.js'
import { ACCOUNTS, balanceOf, brokenRule, LISTS, nextOf, PLACES, type Ruled } from '../rules.js'
import type { Session } from '../session.js'
import { RULED } from '../tables.js'
import { Violation } from '../violation.js'
import type { Operation } from './operation.js'
import { inTransaction, readKeys, writeAll } from './transactions.js'

/** Moves money from one account to another. */
export const bank: Operation = {
  name: 'bank',
  weight: 3,
  writes: true,
  run(session) {
    const { decisions } = session
    const from = decisions.choose('from', ACCOUNTS.length)
    const to = (from + decisions.between('to', 1, ACCOUNTS.length - 1)) % ACCOUNTS.length
    const [giver, taker] = [ACCOUNTS[from] as string, ACCOUNTS[to] as string]
    const amount = decisions.between('amount', 1, 50)
    return rewrite(session, 'bank', async (read) => {
      const ruled = await read(giver, taker)
      return {
        [giver]: balanceOf(giver, ruled) - amount,
        [taker]: balanceOf(taker, ruled) + amount,
      }
    })
  },
}

/** Of three consecutive places, the last two change their successors. */
export const cycle: Operation = {
  name: 'cycle',
  weight: 3,
  writes: true,
  run(session) {
    const first = PLACES[session.decisions.choose('place', PLACES.length)] as string
    return rewrite(session, 'cycle', async (read) => {
      const second = nextOf(first, await read(first))
      const third = nextOf(second, await read(second))
      const fourth = nextOf(third, await read(third))
      return { [first]: third, [third]: second, [second]: fourth }
    })
  },
}

/** Appends to a list. */
export const append: Operation = {
  name: 'append',
  weight: 3,
  writes: true,
  run(session) {
    const list = LISTS[session.decisions.choose('list', LISTS.length)] as string
    return rewrite(session, 'append', async (read) => {
      const items = (await read(list)).get(list)
      return { [list]: items === undefined ? '' : `${items};` }
    })
  },
}

/** Reads everything that has rules, of the present or the past, and checks the rules. */
export const audit: Operation = {
  name: 'audit',
  weight: 3,
  writes: false,
  async run(session) {
    const moment = session.decisions.choose('past', 3) === 2 ? session.pickMoment() : undefined
    const at = moment === undefined ? {} : { at: moment }
    const allowed = ['FIRN_SNAPSHOT_EXPIRED']
    await session.read({ what: 'audit', table: RULED, allowed, ...at }, async () => {
      const rows = await session.table(RULED).scan(at).toArray()
      const broken = brokenRule(new Map(rows))
      if (broken !== undefined) throw new Violation(`${session.name} saw that ${broken}`)
      return { kind: 'rows', table: RULED, range: {}, rows, whole: true }
    })
  },
}

/** Writes what follows from what it reads, each value with a unique number. */
function rewrite(
  session: Session,
  what: string,
  follow: (read: (...keys: string[]) => Promise<Ruled>) => Promise<Record<string, string | number>>,
): Promise<void> {
  return inTransaction(session, what, async (tx) => {
    const reads: Seen[] = []
    const read = async (...keys: string[]): Promise<Ruled> => {
      const seen = await readKeys(session, tx, RULED, keys)
      reads.push(seen)
      return new Map(keys.map((key, i) => [key, seen.values[i]]))
    }
    const written = Object.entries(await follow(read))
    const changes = written.map(([key, meaning]) => ({
      table: RULED,
      key,
      value: `${meaning}:${session.newValue()}`,
    }))
    await writeAll(session, tx, changes)
    return { reads, changes }
  })
}
