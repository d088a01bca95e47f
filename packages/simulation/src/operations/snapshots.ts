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
    const signal = session.mayAbandon()
    const options = { ...moment, ...(signal === undefined ? {} : { signal }) }
    try {
      await using taken = await session.db.snapshot(options)
      taking.end({ kind: 'version', version: taken.version })
      const version = { version: taken.version }
      // Tables are those that there were when it was taken, whatever becomes of them.
      const present = { from: taking.from, to: taking.to }
      for (let reads = decisions.choose('reads', 6); reads > 0; reads--) {
        await session.pause()
        const key = session.pickKey()
        const range = session.pickRange()
        const scans = decisions.choose('scans', 3) === 2
        const name = session.pickTable()
        const held = at === undefined
        const request = { what: 'read of a snapshot', table: name, at: version, present, held }
        await session.read(request, async () => {
          const past = taken.table<string, string>(name, optionsOf(name))
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
