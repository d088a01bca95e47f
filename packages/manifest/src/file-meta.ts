import type { FileMeta } from './state.js'

/** What the writer of an SST says of it: an `SstSummary`, for example. */
export type FileSummary = Omit<FileMeta, 'id' | 'level' | 'commitFile'> & { fileId: string }

/** A file as an entry of the log names it. */
export function fileMeta(
  summary: FileSummary,
  { level, commitFile }: Pick<FileMeta, 'level' | 'commitFile'>,
): FileMeta {
  return {
    id: summary.fileId,
    bytes: summary.bytes,
    level,
    smallest: summary.smallest,
    largest: summary.largest,
    minTimestamp: summary.minTimestamp,
    maxTimestamp: summary.maxTimestamp,
    commitFile,
    records: summary.records,
    deletes: summary.deletes,
    rawKeyBytes: summary.rawKeyBytes,
    rawValueBytes: summary.rawValueBytes,
    tailBytes: summary.tailBytes,
    statistics: summary.statistics,
  }
}
