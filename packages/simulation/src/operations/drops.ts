import { isFirnError } from '@firn/env'
import { type Change, WHOLE_TABLE } from '../history.js'
import type { Session } from '../session.js'
import { DROPPABLE } from '../tables.js'
import type { Operation } from './operation.js'
import { inTransaction, PATIENT, readKeys, writeAll } from './transactions.js'
import { newChange, newPut, pickDurability, writeBatch, writeOne } from './writes.js'

/** Drops a table, with its past. Another table of the same kind soon gets its name. */
export const dropTable: Operation = {
  name: 'drop table',
  weight: 1,
  writes: true,
  run: (session) => drop(session, session.decisions.pick('table', DROPPABLE)),
}

/**
 * Drops one or two tables while other clients of the process write to them, in the same turns, and
 * creates them again at once.
 */
export const dropAmidWrites: Operation = {
  name: 'drop amid writes',
  weight: 3,
  writes: true,
  async run(session) {
    const { decisions } = session
    const tables: [string, ...string[]] = [decisions.pick('table', DROPPABLE)]
    if (decisions.choose('two', 2) === 1) tables.push(decisions.pick('table', DROPPABLE))
    if (decisions.choose('makes', 3) !== 0) {
      await Promise.all(tables.map((table, i) => writeLittle(session, table, i)))
    }
    const chases = decisions.choose('chases', 2) === 1
    // A drop begins with a flush, which then has nothing to wait for.
    if (chases) await session.attempt('flush before a drop', () => session.db.flush())
    const calls = tables.map((table) => drop(session, table))
    const firstDrop = Promise.race(calls)
    if (chases) {
      await microtasks(decisions.choose('until then', 16))
      // One write in each turn, until the drops are certainly under way.
      for (let turns = decisions.between('turns', 2, 16); turns > 0; turns--) {
        calls.push(writeLittle(session, decisions.pick('to', tables)))
        await undefined
      }
    }
    for (let writes = decisions.between('writes', 2, 10); writes > 0; writes--) {
      await aLittleLater(session, firstDrop)
      calls.push(writeTo(session, decisions.pick('to', tables)))
    }
    await Promise.all(calls)
    await writeOne(session, 'put after a drop', newPut(session, 0, tables[0]), pickOptions(session))
  },
}

/** Drops a table; see `dropTable`. */
export async function drop(session: Session, table: string): Promise<void> {
  const change = { table, key: WHOLE_TABLE, value: undefined }
  // If there is no such table, this must have been so at some time during the request.
  const absence = session.beginRead({ what: 'drop of a table', table, fresh: true })
  await session.write(
    { what: 'drop table', changes: [change], allowed: ['FIRN_INVALID_ARGUMENT'] },
    async () => {
      try {
        return await session.db.dropTable(table)
      } catch (error) {
        if (isFirnError(error, 'FIRN_INVALID_ARGUMENT')) absence.end({ kind: 'no table', table })
        throw error
      }
    },
  )
}

/**
 * Waits for nothing, for some microtasks, for a turn (when a disk may have answered), or for the
 * first drop to end.
 */
async function aLittleLater(
  { decisions, host }: Session,
  firstDrop: Promise<unknown>,
): Promise<void> {
  switch (decisions.weigh('later', [2, 3, 1, 2, 2])) {
    case 1:
      return microtasks(decisions.between('microtasks', 1, 24))
    case 2:
      return host.life.env.yield()
    case 3:
      return host.life.env.sleep(decisions.between('later ms', 1, 60))
    case 4:
      await firstDrop
      return microtasks(decisions.choose('microtasks', 6))
  }
}

async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined
}

/** Makes a put, a batch of one, or a transaction that reads nothing. */
function writeLittle(session: Session, table: string, dullKey = 0): Promise<void> {
  const change = { table, key: session.pickKey(dullKey), value: session.newValue() }
  switch (session.decisions.weigh('little', [3, 3, 1])) {
    case 1:
      return writeBatch(session, 'batch amid a drop', { size: 1, table, isPatient: true })
    case 2:
      return blindly(session, change)
    default:
      return writeOne(session, 'write amid a drop', change, pickOptions(session))
  }
}

/** Writes in a transaction that reads nothing, so that no read shows it the drop. */
function blindly(session: Session, change: Change): Promise<void> {
  return inTransaction(
    session,
    'blind transaction amid a drop',
    async (tx) => {
      await writeAll(session, tx, [change])
      return { reads: [], changes: [change] }
    },
    PATIENT,
  )
}

/** Makes one write to a table, of any kind. */
function writeTo(session: Session, table: string): Promise<void> {
  const { decisions } = session
  const change = newChange(session, 0, table)
  switch (decisions.weigh('kind', [6, 4, 1, 2])) {
    case 1:
      return writeBatch(session, 'batch amid a drop', {
        size: decisions.between('changes', 1, 4),
        table,
        isPatient: true,
      })
    case 2:
      return writeBatch(session, 'large batch amid a drop', {
        size: decisions.between('changes', 20, 60),
        table,
        isPatient: true,
      })
    case 3:
      return inTransaction(
        session,
        'transaction amid a drop',
        async (tx) => {
          const reads = [await readKeys(session, tx, table, [change.key])]
          await writeAll(session, tx, [change])
          return { reads, changes: [change] }
        },
        PATIENT,
      )
    default:
      return writeOne(session, 'write amid a drop', change, pickOptions(session))
  }
}

function pickOptions(session: Session): { durability: 'durable' | 'buffered' } {
  return { durability: pickDurability(session) }
}
