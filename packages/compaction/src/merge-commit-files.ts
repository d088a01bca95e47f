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
  /** Opens the source of a file's bytes. */
  openSource: (file: FileMeta) => SstSource | Promise<SstSource>
  /** Deletes files that this call wrote and doesn't need any more. */
  discard: (ids: readonly string[]) => Promise<void>
  /**
   * Most bytes that all files of a merge together may fetch ahead. Default 16 MiB; at most 4 MiB
   * each.
   */
  readAheadBytes?: number
  /** Most files read at the same time. Default 64, at least 2. */
  maxOpenFiles?: number
}

const MIB = 1024 * 1024
const MIN_READ_AHEAD_BYTES = 64 * 1024

/**
 * Makes the files of one commit disjoint: all their records will have one timestamp, and a database
 * never holds two records of the same key and timestamp.
 *
 * 1. `runs` are files without timestamps, in the order in which they were written. If a key is in
 *    several runs, the last run's record counts. Files of one run don't overlap.
 * 2. A file that overlaps no other one is used as it is, so the runs of a load in key order are
 *    never rewritten.
 * 3. Files that overlap, directly or through others, are merged into new ones. They are read by
 *    rows of files that follow each other, with one open file per row, so memory depends on how
 *    many files overlap at one key.
 * 4. If that is more than `maxOpenFiles`, runs adjacent in time are merged first, that many at a
 *    time, until there are few enough.
 *
 * Returns the disjoint files in key order. All input files stay in the store; the caller deletes
 * the ones that aren't in the result. On an error, no file written here stays.
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

/** A file and the number of its run; later runs have greater numbers. */
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
    // A single row could never be merged with another.
    this.#maxRows = Math.max(2, options.maxOpenFiles ?? 64)
  }

  /** Returns the same records in files that don't overlap, in key order. */
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
    // A file that can't be deleted is an orphan.
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

  /** Merges adjacent runs, so that the result again has one place in time. */
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

/** The run's number stands in for the timestamp: of equal keys, the newest comes first. */
function readAsOfRun({ file, run }: AgedFile): FileMeta {
  return { ...file, minTimestamp: run, maxTimestamp: run }
}

/** Keeps the first record of each key. */
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
