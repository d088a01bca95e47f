import { END, PENDING } from '@firn/mvcc'
import type { SstCursor, SstReader } from '@firn/sst'

const READ_AHEAD_BYTES = 1024 * 1024

/** Called for each record, which the cursor's fields hold during the call. False ends the walk. */
export type RecordVisitor = (cursor: SstCursor) => boolean

/** Visits the records of a file in order. `after` runs between blocks, when waiting is possible. */
export async function walkRecords(
  reader: SstReader,
  visit: RecordVisitor,
  after?: () => Promise<void>,
): Promise<void> {
  const cursor = reader.cursor({ fill: false, readAheadBytes: READ_AHEAD_BYTES })
  try {
    for (let status = cursor.first(); status !== END; status = cursor.next()) {
      if (status === PENDING) {
        await after?.()
        if ((await cursor.load()) === END) break
      }
      if (!visit(cursor)) break
    }
    await after?.()
  } finally {
    cursor.close()
  }
}
