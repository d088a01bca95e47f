import { prefixEnd } from '@firn/bytes'
import type { Database, Moment, ScanOptions, TableInfo } from '@firn/engine'
import { isFirnError } from '@firn/env'
import { storedBytes } from './database-access.js'

export type StoredRow = [key: Uint8Array, value: Uint8Array]

export type StoredRange = Pick<
  ScanOptions<Uint8Array>,
  'gte' | 'lt' | 'prefix' | 'reverse' | 'limit'
>

/** How often a read begins anew without having come further. */
const TRIES = 5

/**
 * Rows of one moment, as stored, page by page, while another process writes. One that compacts
 * deletes the files it replaced, also those that we read: then the same version is read on, behind
 * the last row, from the files that took their place. Throws `SnapshotExpiredError` where the
 * table's history doesn't reach back so far.
 */
export async function* snapshotPages(
  database: Database,
  at: Moment | undefined,
  table: TableInfo,
  range: StoredRange = {},
): AsyncGenerator<StoredRow[]> {
  const { reverse = false } = range
  const bounds = boundsOf(range)
  let left = range.limit ?? Number.POSITIVE_INFINITY
  let moment = at
  let last: Uint8Array | undefined
  for (let tries = 0; left > 0; ) {
    try {
      const snapshot = await database.snapshot(moment === undefined ? {} : { at: moment })
      moment = { version: snapshot.version }
      try {
        const behind = last === undefined ? {} : reverse ? { lt: last } : { gt: last }
        const limit = Number.isFinite(left) ? { limit: left } : {}
        const options = { ...bounds, ...behind, ...limit, reverse }
        if (last !== undefined && !reverse) delete options.gte
        const rows = snapshot.table(table.name, storedBytes(table)).scan(options)
        for await (const page of rows.pages()) {
          left -= page.length
          last = page.at(-1)?.[0] ?? last
          tries = 0
          yield page
        }
        return
      } finally {
        await snapshot.close()
      }
    } catch (error) {
      if (!isFirnError(error, 'FIRN_SNAPSHOT_EXPIRED') || ++tries >= TRIES) throw error
      await database.refresh()
    }
  }
}

function boundsOf({ gte, lt, prefix }: StoredRange): { gte?: Uint8Array; lt?: Uint8Array } {
  const start = prefix ?? gte
  const end = prefix === undefined ? lt : prefixEnd(prefix)
  return {
    ...(start === undefined ? {} : { gte: start }),
    ...(end === undefined ? {} : { lt: end }),
  }
}
