import type { Row } from '../history.js'
import type { ReadRequest } from '../recorded-read.js'
import { ETERNAL } from '../tables.js'
import type { Operation } from './operation.js'

/** Scans all rows of a range, of the present or of any moment. */
export const scan: Operation = {
  name: 'scan',
  weight: 6,
  writes: false,
  async run(session) {
    const table = session.pickTable()
    const range = session.pickRange()
    const moment = session.decisions.choose('past', 3) === 2 ? session.pickMoment() : undefined
    const at = moment === undefined ? {} : { at: moment }
    const signal = session.mayAbandon()
    const options = { ...range, ...at, ...(signal === undefined ? {} : { signal }) }
    const part = session.decisions.pick('part', ['rows', 'rows', 'keys', 'values of rows'])
    await session.read({ what: 'scan', table, ...at }, async () => {
      const read = session.table(table)
      switch (part) {
        case 'rows': {
          const rows = await read.scan(options).toArray()
          return { kind: 'rows', table, range, rows, whole: true }
        }
        case 'keys':
          return { kind: part, table, range, items: await read.keys(options).toArray() }
        case 'values of rows':
          return { kind: part, table, range, items: await read.values(options).toArray() }
      }
    })
  },
}

/** A slow scan, while others write, flush and compact; some are left before their end. */
export const heldScan: Operation = {
  name: 'held scan',
  weight: 3,
  writes: false,
  async run(session) {
    const { decisions } = session
    const table = session.pickTable()
    const range = session.pickRange()
    const moment = decisions.choose('moment', 4) === 3 ? session.pickMoment() : undefined
    const at = moment === undefined ? {} : { at: moment }
    const request: ReadRequest = { what: 'held scan', table, held: moment === undefined, ...at }
    const read = session.beginRead(request)
    const rows: Row[] = []
    const leaveAfter =
      decisions.choose('leaves', 3) === 2 ? decisions.choose('leave after', 30) : -1
    let whole = true
    try {
      for await (const row of session.table(table).scan({ ...range, ...at })) {
        read.hold()
        rows.push(row)
        if (rows.length === leaveAfter) {
          whole = false
          break
        }
        if (decisions.choose('waits', 4) === 3) await session.pause()
      }
      read.end({ kind: 'rows', table, range, rows, whole })
    } catch (error) {
      read.fail(error)
      if (rows.length > 0) read.end({ kind: 'rows', table, range, rows, whole: false })
    }
  },
}

export const count: Operation = {
  name: 'count',
  weight: 2,
  writes: false,
  async run(session) {
    const table = session.pickTable()
    const { reverse, limit, ...range } = session.pickRange()
    // Like a scan: its files may be compacted away during it, and so may what it counts.
    const allowed = table === ETERNAL ? [] : ['FIRN_SNAPSHOT_EXPIRED']
    await session.read({ what: 'count', table, allowed }, async () => ({
      kind: 'count',
      table,
      range,
      count: await session.table(table).count(range),
    }))
  },
}
