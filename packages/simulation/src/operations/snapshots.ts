import type { Snapshot } from '@firn/engine'
import type { Seen } from '../history.js'
import type { ReadRequest } from '../recorded-read.js'
import type { Session } from '../session.js'
import type { Operation } from './operation.js'

/** Takes a snapshot of now or of another moment, and reads from it for a while. */
export const snapshot: Operation = {
  name: 'snapshot',
  weight: 4,
  writes: false,
  async run(session) {
    const { decisions } = session
    const at = decisions.choose('past', 2) === 1 ? session.pickMoment() : undefined
    const moment = at === undefined ? {} : { at }
    const table = session.pickTable()
    const taking = session.beginRead({ what: 'snapshot', table, ...moment })
    const signal = session.mayAbandon()
    const options = { ...moment, ...(signal === undefined ? {} : { signal }) }
    try {
      await using taken = await session.snapshot(options)
      taking.end({ kind: 'version', version: taken.version })
      // The tables are those that existed when it was taken, whatever happens to them later.
      const present = { from: taking.from, to: taking.to }
      for (let reads = decisions.choose('reads', 6); reads > 0; reads--) {
        await session.pause()
        await readTaken(session, taken, { present, held: at === undefined })
      }
    } catch (error) {
      taking.fail(error)
    }
  },
}

/** A read of a snapshot. */
interface TakenRead extends Required<Pick<ReadRequest, 'present' | 'held'>> {
  /** Default: any. */
  table?: string
  key?: string
}

/**
 * Reads from a snapshot, at its own moment or at another one; it never shows anything after its
 * own.
 */
export async function readTaken(
  session: Session,
  taken: Snapshot,
  { present, held, table = session.pickTable(), key = session.pickKey() }: TakenRead,
): Promise<void> {
  const { decisions } = session
  const range = session.pickRange()
  const kind = decisions.pick('read', ['get', 'scan', 'get many', 'count'])
  const moment = decisions.choose('at', 4) === 3 ? session.pickMoment() : undefined
  const at = moment ?? { version: taken.version }
  const request: ReadRequest = {
    what: 'read of a snapshot',
    table,
    at,
    present,
    held: held && moment === undefined,
    bound: taken.version,
    allowed: kind === 'count' ? ['FIRN_SNAPSHOT_EXPIRED'] : [],
  }
  const options = moment === undefined ? {} : { at: moment }
  await session.read(request, async (): Promise<Seen> => {
    const past = session.tableOf(taken, table)
    switch (kind) {
      case 'get': {
        const value = await past.get(key, moment === undefined ? undefined : options)
        return { kind: 'values', table, keys: [key], values: [value] }
      }
      case 'get many': {
        const keys = [key, session.pickKey(1), session.pickKey(2)]
        return { kind: 'values', table, keys, values: await past.getMany(keys, options) }
      }
      case 'scan': {
        const rows = await past.scan({ ...range, ...options }).toArray()
        return { kind: 'rows', table, range, rows, whole: true }
      }
      case 'count': {
        const { reverse, limit, ...bounds } = range
        const count = await past.count({ ...bounds, ...options })
        return { kind: 'count', table, range: bounds, count }
      }
    }
  })
}
