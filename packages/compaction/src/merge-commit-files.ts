import { type FileMeta, fileMeta } from '@firn/manifest'
import { DROP, KEEP, MergingCursor, type RetentionDecision } from '@firn/mvcc'
import type { SstSource } from '@firn/sst'
import { type VersionFilter, type WriteFilesOptions, writeFiles } from '@firn/sst/store'
import { disjointRows, overlapGroups } from './internal/overlap-groups.js'
import { RunCursor } from './internal/run-cursor.js'

export interface MergeCommitFilesOptions
  extends Pick<
    WriteFilesOptions,
    | 'env'
    | 'targetFileBytes'
    | 'newFileId'
    | 'upload'
    | 'tableOptions'
    | 'blockBytes'
    | 'filterBitsPerKey'
    | 'yieldAfterMs'
    | 'signal'
  > {
  /** Where a file's bytes come from. */
  openSource: (file: FileMeta) => SstSource | Promise<SstSource>
  /** Deletes files that this call wrote and that nobody needs. */
  discard: (ids: readonly string[]) => Promise<void>
  /**
   * Bytes that all files of a merge together may fetch ahead. Default 16 MiB; at most 4 MiB each.
   */
  readAheadBytes?: number
  /** How many files are read at the same time, at most. Default 64, at least 2. */
  maxOpenFiles?: number
}

const MIB = 1024 * 1024
const MIN_READ_AHEAD_BYTES = 64 * 1024

/**
 * Makes the files of one commit disjoint, as all their records will have one timestamp, and a
 * database holds no two records of the same key and timestamp.
 *
 * 1. `runs` are files without timestamps, in the order in which they were written: of a key that is
 *    in several runs, the last one's record counts. Files of one run don't overlap.
 * 2. A file that overlaps no other one is used as it is. So runs of a load in key order are never
 *    written again.
 * 3. Files that overlap, directly or through others, are merged into new ones. They are read row by
 *    row, each row being files that follow each other, so one file of a row is open at a time: what
 *    is in memory depends on how many files overlap at one key.
 * 4. Where those are more than `maxOpenFiles`, runs that follow each other in time are merged
 *    first, as many at a time, until they are few enough.
 *
 * Gives the disjoint files in key order. All that were given stay in the store: those that aren't
 * in the result are the caller's to delete. On any error nothing that was written here stays.
 */
export async function mergeCommitFiles(
  runs: readonly (readonly FileMeta[])[],
  options: MergeCommitFilesOptions,
): Promise<FileMeta[]> {
  const merge = new CommitFilesMerge(options)
  const files = runs.flatMap((run, i) => run.map((file) => aged(file, i + 1)))
  try {
    const result = (await merge.disjoint(files)).map(({ file }) => file)
    await merge.discardAllBut(result)
    return result
  } catch (error) {
    await merge.discardAllBut([])
    throw error
  }
}

/** A file and the number of its run, the later the greater. */
interface AgedFile {
  readonly file: FileMeta
  readonly run: number
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
}

function aged(file: FileMeta, run: number): AgedFile {
  return { file, run, smallest: file.smallest, largest: file.largest }
}

class CommitFilesMerge {
  readonly #options: MergeCommitFilesOptions
  readonly #maxRows: number
  readonly #made: FileMeta[] = []

  constructor(options: MergeCommitFilesOptions) {
    this.#options = options
    // One row could never be merged with another.
    this.#maxRows = Math.max(2, options.maxOpenFiles ?? 64)
  }

  /** The same records in files that don't overlap, in key order. */
  async disjoint(files: readonly AgedFile[]): Promise<AgedFile[]> {
    const result: AgedFile[] = []
    for (const group of overlapGroups(files)) {
      result.push(...(group.length === 1 ? group : await this.#merge(group)))
    }
    return result
  }

  async discardAllBut(kept: readonly FileMeta[]): Promise<void> {
    const stay = new Set(kept)
    const ids = this.#made.filter((file) => !stay.has(file)).map(({ id }) => id)
    // What can't be deleted is an orphan.
    if (ids.length > 0) await this.#options.discard(ids).catch(() => {})
  }

  async #merge(files: readonly AgedFile[]): Promise<AgedFile[]> {
    let rest = files
    let rows = disjointRows(rest)
    while (rows.length > this.#maxRows) {
      rest = await this.#mergeNeighbours(rest)
      rows = disjointRows(rest)
    }
    return this.#write(rows)
  }

  /** Merges runs that follow each other, so that what comes of them has one place in time again. */
  async #mergeNeighbours(files: readonly AgedFile[]): Promise<AgedFile[]> {
    const runs = [...new Set(files.map(({ run }) => run))].sort((a, b) => a - b)
    const merged: AgedFile[] = []
    for (let from = 0; from < runs.length; from += this.#maxRows) {
      const some = runs.slice(from, from + this.#maxRows)
      const members = new Set(some)
      const run = some.at(-1) as number
      const disjoint = await this.disjoint(files.filter((file) => members.has(file.run)))
      merged.push(...disjoint.map(({ file }) => aged(file, run)))
    }
    return merged
  }

  async #write(rows: readonly (readonly AgedFile[])[]): Promise<AgedFile[]> {
    const { openSource, readAheadBytes: total = 16 * MIB, discard, ...output } = this.#options
    const share = Math.floor(total / rows.length)
    const readAheadBytes = Math.max(MIN_READ_AHEAD_BYTES, Math.min(4 * MIB, share))
    const cursors = rows.map(
      (row) => new RunCursor(row.map(readAsOfRun), { openSource, readAheadBytes }),
    )
    const written = await writeFiles(new MergingCursor(cursors), {
      ...output,
      discard,
      splitTables: true,
      timestamps: 'file',
      filter: new NewestOfKey(),
    })
    const files = written.map((summary) => fileMeta(summary, { level: 0, commitFile: true }))
    this.#made.push(...files)
    return files.map((file) => aged(file, 0))
  }
}

/** The number of the run stands in for the timestamp: of equal keys the newest comes first. */
function readAsOfRun({ file, run }: AgedFile): FileMeta {
  return { ...file, minTimestamp: run, maxTimestamp: run }
}

/** Of each key the first record that comes. */
class NewestOfKey implements VersionFilter {
  #isFirst = true

  begin(): void {
    this.#isFirst = true
  }

  keep(): RetentionDecision {
    const decision = this.#isFirst ? KEEP : DROP
    this.#isFirst = false
    return decision
  }
}
