import type { Database, Moment, ScanOptions, TableInfo } from '@firn/engine'
import { storedBytes } from './database-access.js'

export type StoredRow = [key: Uint8Array, value: Uint8Array]

export type StoredRange = Pick<
  ScanOptions<Uint8Array>,
  'gte' | 'lt' | 'prefix' | 'reverse' | 'limit'
>

/**
 * Reads the rows of one moment, as stored, page by page. Throws `SnapshotExpiredError` if the
 * table's history doesn't reach back that far.
 */
export async function* snapshotPages(
  database: Database,
  at: Moment | undefined,
  table: TableInfo,
  range: StoredRange = {},
): AsyncGenerator<StoredRow[]> {
  const snapshot = await database.snapshot({ at })
  let failed = false
  try {
    yield* snapshot.table(table.name, storedBytes(table)).scan(range).pages()
  } catch (error) {
    failed = true
    throw error
  } finally {
    const closed = snapshot.close()
    // The first failure is the one to report.
    await (failed ? closed.catch(() => {}) : closed)
  }
}
