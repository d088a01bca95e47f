import type { Session } from '../session.js'
import type { Operation } from './operation.js'
import { handled, rivalOf, soon } from './rival.js'
import { inTransaction, readKeys, readRange, writeAll } from './transactions.js'
import { writeOne } from './writes.js'

/** Number of keys of a rival's file; with their values, more than most runs put into the log. */
const FILE_KEYS = 6
const PADDING = 400

/**
 * A transaction with a rival in another process. Before the commit, the rival writes a file to the
 * table; then, while that file is being read, it writes what the transaction has read. This process
 * keeps reading the log, so that it knows of both before the transaction has been validated against
 * either.
 */
export const rivalledTransaction: Operation = {
  name: 'rivalled transaction',
  weight: 5,
  writes: true,
  async run(session) {
    const { decisions } = session
    const rival = await rivalOf(session)
    const table = session.pickTable()
    const [read, written, other] = [session.pickKey(), session.pickKey(1), session.pickKey(2)]
    const scans = decisions.choose('scans', 2) === 1
    // The rival's file may contain the key that was read; then nothing more has to follow.
    const hits = decisions.choose('hits', 4) === 3
    const range = read < other ? { gte: read, lte: other } : { gte: other, lte: read }
    const under: Promise<unknown>[] = []
    await inTransaction(
      session,
      'rivalled transaction',
      async (tx) => {
        const seen = scans
          ? await readRange(session, tx, { table, range })
          : await readKeys(session, tx, table, [read])
        const changes = [{ table, key: written, value: session.newValue() }]
        await writeAll(session, tx, changes)
        if (rival !== undefined) {
          await soon(session, putFile(rival, table, read, hits))
          await session.attempt('refresh amid a transaction', async () => {
            await session.db.refresh()
          })
          await session.attempt('evict amid a transaction', () => session.db.evict())
          // Soon, or when the transaction has written its own file.
          const afterMs = decisions.choose('rival after', decisions.pick('late', [20, 300]))
          const later = rival.host.life.env.sleep(afterMs).then(() => put(rival, table, read))
          under.push(later, lookOn(session))
        }
        return { reads: [seen], changes }
      },
      { isPatient: true, attempts: 5 },
    )
    await soon(session, Promise.all(under))
  },
}

function put(rival: Session, table: string, key: string): Promise<void> {
  const change = { table, key, value: rival.newValue() }
  return handled(rival, () => writeOne(rival, 'put of a rival', change, { durability: 'durable' }))
}

/** Writes keys on both sides of one key, and that key itself only if it `hits`. */
function putFile(rival: Session, table: string, around: string, hits: boolean): Promise<void> {
  const keys = Array.from({ length: FILE_KEYS }, (_, i) => rival.pickKey(i))
  const changes = [...new Set(keys)]
    .filter((key) => key !== around)
    .concat(hits ? [around] : [])
    .map((key) => ({ table, key, value: rival.newValue(PADDING) }))
  return handled(rival, () =>
    rival.write({ what: 'file of a rival', changes }, () => {
      const batch = rival.batch()
      for (const { key, value } of changes) batch.put(rival.table(table), key, value)
      return batch.write({ durability: 'durable' })
    }),
  )
}

/** Reads the log several times in a row. */
async function lookOn(session: Session): Promise<void> {
  for (let looks = session.decisions.between('looks', 2, 8); looks > 0; looks--) {
    await session.attempt('refresh amid a transaction', async () => {
      await session.db.refresh()
    })
    await session.host.life.env.sleep(1)
  }
}
