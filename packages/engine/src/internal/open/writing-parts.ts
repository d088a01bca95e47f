import type { CommitLog } from '@firn/commit-log'
import { systemEnv, type TimeSlice } from '@firn/env'
import type { ObjectStore } from '@firn/object-store'
import { atProcessEnd, makeWorker } from '#directory'
import { Committer } from '../commit/committer.js'
import type { Progress } from '../commit/progress.js'
import { WritePressure } from '../commit/write-pressure.js'
import type { WritingParts } from '../database/database-parts.js'
import type { FileCache } from '../files/file-cache.js'
import { FileWriter } from '../files/file-writer.js'
import { Threads } from '../files/threads.js'
import { Checkpointer } from '../maintenance/checkpointer.js'
import { Compactor } from '../maintenance/compactor.js'
import { Flusher } from '../maintenance/flusher.js'
import { MaintenanceLease } from '../maintenance/maintenance-lease.js'
import { OrphanSweep } from '../maintenance/orphan-sweep.js'
import { SecondLook } from '../maintenance/second-look.js'
import { lookAgain, Upkeep } from '../maintenance/upkeep.js'
import { WriteRelief } from '../maintenance/write-relief.js'
import type { LogFollower } from '../view/log-follower.js'
import type { VersionSet } from '../view/version-set.js'
import type { Settings } from './defaults.js'
import type { Located } from './locate.js'

/** Parts that the writing parts build on. */
export interface ReadingParts {
  readonly slice: TimeSlice
  readonly store: ObjectStore
  readonly log: CommitLog
  readonly incarnation: string
  readonly versions: VersionSet
  readonly files: FileCache
  readonly follower: LogFollower
  readonly progress: Progress
}

/** Wires the parts that write to a database. `cleanup` receives what to do after its close. */
export function makeWritingParts(
  located: Located,
  settings: Settings,
  reading: ReadingParts,
  cleanup: (() => Promise<void>)[],
): WritingParts {
  const { env, logger, compacts, blockBytes, shape, limits, threadsIn } = settings
  const { slice, store, log, incarnation, versions, follower, progress } = reading
  const common = { env, slice, store, log, incarnation, versions, logger, blockBytes }
  const look = (): Promise<void> => lookAgain(log, follower, progress)

  const pressure = new WritePressure(env, limits)
  const relief = new WriteRelief({ env, pressure, logger, compacts, look })
  const committer = new Committer({
    ...common,
    pressure,
    flushIntervalMs: settings.flushIntervalMs,
    catchUp: () => follower.catchUp(),
    applyNext: (entry) => follower.applyNext(entry),
    onProgress: () => progress.report(),
    onStall: () => relief.start(),
  })
  // A database with another Env is in a process of another world.
  if (log.exclusive && log.writeOut !== undefined && env === systemEnv) {
    const forget = atProcessEnd(() => committer.handOverAtEnd())
    cleanup.unshift(async () => forget())
  }

  const worker =
    threadsIn === undefined
      ? undefined
      : makeWorker({
          directory: threadsIn,
          directoryId: located.directoryId?.(),
          incarnation,
          blockBytes,
        })
  const threads = new Threads(env, logger, worker)
  cleanup.unshift(() => threads.close())
  const files = new FileWriter({
    ...common,
    state: () => versions.state,
    targetFileBytes: shape.targetFileBytes,
    threads,
  })

  const secondLook = new SecondLook({ env, look })
  const lease = new MaintenanceLease({
    env,
    leases: log.exclusive ? undefined : located.makeLeases?.(incarnation),
    logger,
    isUrgent: () => pressure.isBlocked,
    onRefused: (askAgainInMs) => secondLook.within(askAgainInMs),
  })
  const checkpointer = new Checkpointer({ ...common, committer })
  const openedAt = versions.state.version
  const orphans = log.exclusive
    ? new OrphanSweep({ ...common, files: reading.files, openedAt })
    : undefined
  const { memtableBytes, tailEntries } = settings
  const upkept = { ...common, committer, pressure, writer: files, lease, secondLook }
  const flusher = new Flusher({ ...upkept, memtableBytes, tailEntries, checkpointer, orphans })
  const compactor = new Compactor({
    ...upkept,
    files: reading.files,
    automatic: compacts,
    inPauses: log.exclusive,
    threads,
    shape,
    limits,
  })
  const { cache } = reading.files
  new Upkeep({ progress, versions, pressure, cache, flusher, compactor }).start()
  return {
    committer,
    pressure,
    relief,
    flusher,
    checkpointer,
    compactor,
    secondLook,
    files,
    inlineLimitBytes: settings.inlineLimitBytes ?? log.inlineLimitBytes,
    ingestChunkBytes: settings.ingestChunkBytes,
  }
}
