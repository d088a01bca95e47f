import { compareBytes } from '@firn/bytes'
import type { FileMeta } from '@firn/manifest'

/**
 * Groups level 0 into sorted runs, newest first. Files of one commit that don't overlap are one run
 * in key order, of which a read looks into one file. Any other file is a run by itself.
 */
export function levelZeroRuns<F>(level0: readonly F[], metaOf: (file: F) => FileMeta): F[][] {
  const runs: F[][] = []
  for (let from = 0, to = 1; from < level0.length; from = to++) {
    const first = metaOf(level0[from] as F)
    // All records of a commit have its timestamp, and no other commit has that timestamp.
    while (
      first.commitFile &&
      to < level0.length &&
      metaOf(level0[to] as F).maxTimestamp === first.maxTimestamp &&
      metaOf(level0[to] as F).commitFile
    ) {
      to++
    }
    const files = level0
      .slice(from, to)
      .sort((a, b) => compareBytes(metaOf(a).smallest, metaOf(b).smallest))
    const disjoint = files.every((file, i) => {
      const before = files[i - 1]
      return before === undefined || compareBytes(metaOf(before).largest, metaOf(file).smallest) < 0
    })
    if (disjoint) runs.push(files)
    else for (const file of files) runs.push([file])
  }
  return runs
}
