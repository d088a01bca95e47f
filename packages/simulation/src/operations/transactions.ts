import type { Commit, Transaction } from '@firn/engine'
import type { Change, Seen } from '../history.js'
import type { KeyRange } from '../key-range.js'
import type { RecordedRead, Session } from '../session.js'
import { ETERNAL, optionsOf } from '../tables.js'
import { Violation } from '../violation.js'
import type { Operation } from './operation.js'

/** What a transaction does, each time that it runs. */
interface Plan {
  /** Tables and keys, each read by itself, or all of a table's together. */
  keys: readonly { table: string; keys: readonly string[] }[]
  ranges: readonly { table: string; range: KeyRange; through: number }[]
  changes: readonly Change[]
}

/**
 * Reads some keys and ranges, writes some keys, and looks at what it has written. What it read must be so
 * at the version before its own.
 */
export const transaction: Operation = {
  name: 'transaction',
  weight: 8,
  writes: true,
  run(session) {
    const plan = pickPlan(session)
    return inTransaction(session, 'transaction', async (tx) => {
      const reads = await readAll(session, tx, plan)
      await writeAll(tx, plan.changes)
      return { reads, changes: plan.changes }
    })
  },
}

/** What an attempt of a transaction did. */
interface Attempt {
  reads: readonly Seen[]
  changes: readonly Change[]
}

/** Runs a transaction, and records what its last attempt read and wrote. */
export async function inTransaction(
  session: Session,
  what: string,
  run: (tx: Transaction) => Promise<Attempt>,
): Promise<void> {
  const { decisions } = session
  const isolation = decisions.pick('isolation', ['serializable', 'serializable', 'snapshot'])
  const attempts = decisions.between('attempts', 1, 6)
  const write = { what, changes: [], allowed: ['FIRN_TRANSACTION_CONFLICT'] }
  await session.write(write, async (recorded) => {
    let last: Transaction | undefined
    const signal = session.mayAbandon()
    const beginAttempt = (): RecordedRead =>
      session.beginRead({ what: `snapshot of a ${what}`, table: ETERNAL })
    let attempt = beginAttempt()
    await session.db.transaction(
      async (tx) => {
        last = tx
        attempt.end({ kind: 'version', version: tx.version })
        attempt = beginAttempt()
        recorded.transaction = undefined
        const { reads, changes } = await run(tx)
        recorded.changes = changes
        recorded.transaction = { isolation, version: tx.version, reads }
      },
      { isolation, attempts, ...(signal === undefined ? {} : { signal }) },
    )
    return committed(last, recorded.changes)
  })
}

function committed(tx: Transaction | undefined, changes: readonly Change[]): Commit {
  if (tx === undefined) throw new Violation('a transaction ended without having run')
  if (tx.committed === undefined && changes.length > 0) {
    throw new Violation('a transaction that wrote something says nothing of its commit')
  }
  return tx.committed ?? { version: tx.version, timestamp: tx.timestamp }
}

function pickPlan(session: Session): Plan {
  const { decisions } = session
  const keys = Array.from({ length: decisions.choose('key reads', 4) }, () => ({
    table: session.pickTable(),
    keys: Array.from({ length: decisions.between('keys', 1, 3) }, (_, i) => session.pickKey(i)),
  }))
  const ranges = Array.from({ length: decisions.choose('range reads', 3) }, () => ({
    table: session.pickTable(),
    range: session.pickRange(),
    // A loop that is left after so many rows, or never.
    through: decisions.choose('left', 3) === 2 ? decisions.choose('left after', 5) : Infinity,
  }))
  const changes = Array.from({ length: decisions.between('changes', 1, 5) }, (_, i): Change => {
    const table = session.pickTable()
    const value = decisions.choose('deletes', 5) === 4 ? undefined : session.newValue()
    return { table, key: session.pickKey(i), value }
  })
  const last = new Map(changes.map((change) => [`${change.table}/${change.key}`, change]))
  return { keys, ranges, changes: [...last.values()] }
}

/** What it reads before it writes: all of it is as of its snapshot. */
async function readAll(session: Session, tx: Transaction, plan: Plan): Promise<Seen[]> {
  const all: Seen[] = []
  const present = { from: tx.version, to: tx.version }
  for (const { table, keys } of plan.keys) all.push(await readKeys(session, tx, table, keys))
  for (const { table, range, through } of plan.ranges) {
    const read = session.beginRead({ what: 'scan in a transaction', table, present })
    const rows: (readonly [string, string])[] = []
    let whole = true
    for await (const row of tx.table<string, string>(table, optionsOf(table)).scan(range)) {
      if (rows.length >= through) {
        whole = false
        break
      }
      rows.push(row)
    }
    const seen: Seen = { kind: 'rows', table, range, rows, whole }
    read.end(seen)
    all.push(seen)
  }
  return all
}

/** Reads one key by itself, or several together. */
export async function readKeys(
  session: Session,
  tx: Transaction,
  table: string,
  keys: readonly string[],
): Promise<Seen & { kind: 'values' }> {
  const present = { from: tx.version, to: tx.version }
  const read = session.beginRead({ what: 'read in a transaction', table, present })
  const t = tx.table<string, string>(table, optionsOf(table))
  const [only, second] = keys
  const alone = second === undefined && only !== undefined
  const values = alone ? [await t.get(only)] : await t.getMany(keys)
  const seen = { kind: 'values', table, keys, values } as const
  read.end(seen)
  return seen
}

/** Writes, and finds what it wrote, where it reads a key and where it reads a range. */
export async function writeAll(tx: Transaction, changes: readonly Change[]): Promise<void> {
  for (const { table, key, value } of changes) {
    const t = tx.table<string, string>(table, optionsOf(table))
    if (value === undefined) await t.delete(key)
    else await t.put(key, value)
  }
  for (const { table, key, value } of changes) {
    const t = tx.table<string, string>(table, optionsOf(table))
    const [row] = await t.scan({ gte: key, lte: key }).toArray()
    if ((await t.get(key)) === value && row?.[1] === value) continue
    throw new Violation(`a transaction doesn't see its own write of ${table}/${key}`)
  }
}
