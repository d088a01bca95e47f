import { optionsOf } from '../tables.js'
import type { Operation } from './operation.js'

/** Takes a snapshot, of now or of another moment, and reads from it for a while. */
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
    try {
      await using held = await session.db.snapshot(moment)
      taking.end({ kind: 'version', version: held.version })
      const version = { version: held.version }
      for (let reads = decisions.choose('reads', 6); reads > 0; reads--) {
        await session.pause()
        const key = session.pickKey()
        const range = session.pickRange()
        const scans = decisions.choose('scans', 3) === 2
        const name = session.pickTable()
        await session.read({ what: 'read of a snapshot', table: name, at: version }, async () => {
          const past = held.table<string, string>(name, optionsOf(name))
          if (scans) {
            const rows = await past.scan(range).toArray()
            return { kind: 'rows', table: name, range, rows, whole: true }
          }
          const values = [await past.get(key)]
          return { kind: 'values', table: name, keys: [key], values }
        })
      }
    } catch (error) {
      taking.fail(error)
    }
  },
}
