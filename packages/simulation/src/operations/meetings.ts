import type { Change, Seen } from '../history.js'
import type { Session } from '../session.js'
import type { Operation } from './operation.js'
import {
  countRange,
  hasKey,
  inTransaction,
  PATIENT,
  readKeys,
  readRange,
  writeAll,
} from './transactions.js'

/** What one of several transactions does, and with which keys. */
interface Part {
  table: string
  reads: readonly string[]
  /** How it reads them; a scan or a count also reads what lies between them. */
  how: 'keys' | 'scan' | 'count' | 'has'
  changes: readonly Change[]
}

/**
 * Several transactions at once that read and write a few keys of one table. Those that come
 * together share an entry, in which each one is validated against the ones before it.
 */
export const transactionsAtOnce: Operation = {
  name: 'transactions at once',
  weight: 4,
  writes: true,
  async run(session) {
    const { decisions } = session
    const table = session.pickTable()
    const keys = Array.from({ length: decisions.between('keys', 2, 5) }, (_, i) =>
      session.pickKey(i),
    )
    const parts = Array.from({ length: decisions.between('transactions', 3, 6) }, () =>
      pickPart(session, table, keys),
    )
    await Promise.all(parts.map((part) => run(session, part)))
  },
}

function pickPart(session: Session, table: string, keys: readonly string[]): Part {
  const { decisions } = session
  const some = (name: string, most: number): string[] =>
    Array.from(
      { length: decisions.between(name, 1, most) },
      () => keys[decisions.choose('which', keys.length)] as string,
    )
  const written = [...new Set(some('writes', 2))]
  return {
    table,
    reads: [...new Set(some('reads', 3))],
    how: decisions.pick('how', ['keys', 'scan', 'count', 'has']),
    changes: written.map((key) => ({
      table,
      key,
      value: decisions.choose('deletes', 6) === 5 ? undefined : session.newValue(),
    })),
  }
}

function run(session: Session, { table, reads, how, changes }: Part): Promise<void> {
  return inTransaction(
    session,
    'one of several',
    async (tx) => {
      const seen: Seen[] = []
      const [gte = '', ...others] = [...reads].sort()
      const range = { gte, lte: others.at(-1) ?? gte }
      if (how === 'keys') seen.push(await readKeys(session, tx, table, reads))
      if (how === 'scan') seen.push(await readRange(session, tx, { table, range }))
      if (how === 'count') seen.push(await countRange(session, tx, { table, range }))
      if (how === 'has') {
        for (const key of reads) seen.push(await hasKey(session, tx, table, key))
      }
      await writeAll(session, tx, changes)
      return { reads: seen, changes }
    },
    PATIENT,
  )
}
