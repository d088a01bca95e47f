import { BlockCache } from '@firn/block-cache'
import { appendSettled, type CommitLog } from '@firn/commit-log'
import { type Env, systemEnv, TimeSlice, ulid, waitFor } from '@firn/env'
import { begunKey, emptyState, encodeEdits, openRoot } from '@firn/manifest'
import { TimestampClock } from '@firn/mvcc'
import type { ObjectStore } from '@firn/object-store'
import { atProcessEnd, makeWorker, openDiskCache } from '#directory'
import type { OpenOptions, Tuning } from '../../open-options.js'
import { Committer } from '../commit/committer.js'
import { WritePressure } from '../commit/write-pressure.js'
import { WriteRelief } from '../commit/write-relief.js'
import { DatabaseHandle, type WritingParts } from '../database/database-handle.js'
import { HeadSource } from '../database/head-source.js'
import { DiskTier } from '../files/disk-tier.js'
import { FileCache } from '../files/file-cache.js'
import { FileWriter } from '../files/file-writer.js'
import { Threads } from '../files/threads.js'
import { Checkpointer } from '../maintenance/checkpointer.js'
import { Compactor } from '../maintenance/compactor.js'
import { Flusher } from '../maintenance/flusher.js'
import { MaintenanceLease } from '../maintenance/maintenance-lease.js'
import { OrphanSweep } from '../maintenance/orphan-sweep.js'
import { SecondLook } from '../maintenance/second-look.js'
import { ArenaPool } from '../memtable/arena-pool.js'
import { LogFollower } from '../view/log-follower.js'
import { VersionSet } from '../view/version-set.js'
import { assertNotBegun } from './begun-log.js'
import type { Located } from './locate.js'

const MIB = 1024 * 1024

const DEFAULTS = {
  cacheBytes: 256 * MIB,
  memtableBytes: 32 * MIB,
  maxStalenessMs: 1000,
  flushIntervalMs: 1000,
  targetFileBytes: 32 * MIB,
  levelBaseBytes: 128 * MIB,
  level0Trigger: 4,
  level0Slowdown: 20,
  level0Stop: 36,
  pageRows: 1000,
}

/** Files of level 0 that are merged down even where most of the work would be level 1's. */
const LEVEL0_LIMIT = 12
/** Memtables that may wait to be flushed before writers have to. */
const MAX_IMMUTABLES = 3
const MAX_QUEUED_BYTES = 32 * MIB

/** Opens what was located, puts its parts together, and reads the log. */
export async function openDatabase(
  located: Located,
  options: OpenOptions,
): Promise<DatabaseHandle> {
  const env = options.env ?? systemEnv
  const { store } = located
  const cleanup: (() => Promise<void>)[] = located.release === undefined ? [] : [located.release]
  if (located.ownsStore) cleanup.unshift(() => store.close())
  try {
    const diskCache =
      options.cache?.disk && openDiskCache(options.cache.disk, env, located.cacheFiles)
    const writes = (options.mode ?? 'write') === 'write'
    const { incarnation, created } = await openRoot(store, {
      env,
      createIfMissing: writes && (options.createIfMissing ?? true),
      log: located.log,
      place: located.place,
      signal: options.signal,
    })
    if (writes) await located.assertConditions?.(created, options.signal)
    options.signal?.throwIfAborted()
    const log = await located.makeLog(incarnation)
    if (located.ownsLog) cleanup.unshift(() => log.close())
    const cache = new BlockCache({ bytes: options.cache?.memoryBytes ?? DEFAULTS.cacheBytes })
    const files = new FileCache({
      store,
      incarnation,
      cache,
      disk: diskCache && new DiskTier(diskCache, incarnation),
      deleteObsolete: writes && log.exclusive,
      onDeleteFailed: (error) => options.logger?.warn('a file could not be deleted', { error }),
    })
    const memtableBytes = options.memtableBytes ?? located.tail?.bytes ?? DEFAULTS.memtableBytes
    const hasThreads =
      (options.compaction ?? 'worker') === 'worker' &&
      located.directory !== undefined &&
      env === systemEnv
    const arenas = new ArenaPool(memtableBytes, writes && hasThreads)
    const versions = new VersionSet(emptyState(), files, arenas)
    const slice = new TimeSlice(env, options.tuning?.sliceMs)
    const parts = { env, slice, store, log, incarnation, versions, logger: options.logger }
    // Until the writing half is there, nobody minds what others commit.
    let onApplied = (): void => {}
    const follower = new LogFollower({
      ...parts,
      files,
      arenas,
      memtableBytes,
      onApplied: () => onApplied(),
    })
    const lookedAtMs = env.monotonic()
    await follower.start(options.signal)
    options.signal?.throwIfAborted()
    if (versions.state.version === 0) {
      const { logIsApart = false } = located
      const { signal } = options
      if (logIsApart && !created) await assertNotBegun(store, incarnation, signal)
      if (writes) await createDatabase(log, incarnation, env, follower, signal)
      if (writes && logIsApart)
        await store.put(begunKey(incarnation), new Uint8Array(0), { signal })
    }
    const writing = writes
      ? makeWriting({ ...parts, files, follower, memtableBytes, options, located, cleanup })
      : undefined
    if (writing !== undefined) onApplied = writing.onProgress
    const head = new HeadSource({
      env,
      slice,
      pageRows: options.tuning?.pageRows ?? DEFAULTS.pageRows,
      log,
      versions,
      follower,
      committer: writing?.committer,
      maxStalenessMs: options.maxStalenessMs ?? DEFAULTS.maxStalenessMs,
      lookedAtMs,
    })
    const release = (): Promise<void> => runAll(cleanup)
    return new DatabaseHandle({
      env,
      requests: located.meter,
      log,
      cache,
      files,
      versions,
      follower,
      head,
      writing,
      release,
    })
  } catch (error) {
    await runAll(cleanup).catch(() => {})
    // What was under way is done or isn't, as where a process ends: the next open goes on from
    // there.
    options.signal?.throwIfAborted()
    throw error
  }
}

/** Appends entry 1, unless another process is first. */
async function createDatabase(
  log: CommitLog,
  incarnation: string,
  env: Env,
  follower: LogFollower,
  signal: AbortSignal | undefined,
): Promise<void> {
  const payload = encodeEdits([{ type: 'create-database', incarnation }])
  const timestamp = new TimestampClock(env).next(0)
  const entry = { version: 1, timestamp, token: ulid(env), payload }
  await appendSettled(log, entry, { env, signal })
  signal?.throwIfAborted()
  await waitFor(follower.catchUp(), signal)
}

function makeWriting(context: {
  env: Env
  slice: TimeSlice
  store: ObjectStore
  log: CommitLog
  incarnation: string
  versions: VersionSet
  files: FileCache
  follower: LogFollower
  memtableBytes: number
  options: OpenOptions
  located: Located
  cleanup: (() => Promise<void>)[]
}): WritingParts {
  const { env, store, log, incarnation, versions, follower, memtableBytes, options, located } =
    context
  const { logger } = options
  const tuning: Tuning = options.tuning ?? {}
  // Memtables come out of the cache's budget.
  const reserved = context.files.cache.reserve(0)
  const level0Slowdown = tuning.level0Slowdown ?? DEFAULTS.level0Slowdown
  const level0Stop = tuning.level0Stop ?? DEFAULTS.level0Stop
  const pressure = new WritePressure(env, {
    slowdownLevel0: level0Slowdown,
    stopLevel0: level0Stop,
    stopImmutables: MAX_IMMUTABLES,
    stopQueuedBytes: MAX_QUEUED_BYTES,
  })
  const onProgress = (): void => {
    flusher.poke()
    compactor.poke()
    showPressure()
  }
  const showPressure = (): void => {
    const bytes = versions.reservedBytes
    if (Math.abs(bytes - reserved.bytes) > MIB) reserved.resize(bytes)
    pressure.setShape(versions.view.level0Runs, versions.immutables.length)
  }
  const committer = new Committer({
    env,
    slice: context.slice,
    log,
    versions,
    pressure,
    flushIntervalMs: options.flushIntervalMs ?? DEFAULTS.flushIntervalMs,
    catchUp: () => follower.catchUp(),
    applyNext: (entry) => follower.applyNext(entry),
    onProgress,
  })
  // A database with another Env is in a process of another world.
  if (log.exclusive && log.writeOut !== undefined && env === systemEnv) {
    const forget = atProcessEnd(() => committer.handOverAtEnd())
    context.cleanup.unshift(async () => forget())
  }
  const targetFileBytes = tuning.targetFileBytes ?? DEFAULTS.targetFileBytes
  const { blockBytes } = tuning
  const mode = options.compaction ?? 'worker'
  const { directory } = located
  // Threads have clocks and ids of their own, so a database with another Env does without.
  const worker =
    mode === 'worker' && directory !== undefined && env === systemEnv
      ? makeWorker({ directory, directoryId: located.directoryId?.(), incarnation, blockBytes })
      : undefined
  const threads = new Threads(env, logger, worker)
  context.cleanup.unshift(() => threads.close())
  const files = new FileWriter({
    env,
    slice: context.slice,
    store,
    incarnation,
    state: () => versions.state,
    targetFileBytes,
    blockBytes,
    threads,
  })
  const checkpointer = new Checkpointer({
    env,
    store,
    log,
    incarnation,
    versions,
    committer,
    logger,
  })
  const orphans = log.exclusive
    ? new OrphanSweep({
        store,
        incarnation,
        files: context.files,
        logger,
        openedAt: versions.state.version,
      })
    : undefined
  const lease = new MaintenanceLease({
    env,
    leases: log.exclusive ? undefined : located.makeLeases?.(incarnation),
    logger,
    isUrgent: () => pressure.isBlocked,
    onRefused: (askAgainInMs) => secondLook.within(askAgainInMs),
  })
  // Others may have done the work on a shared log meanwhile, which only a look at it tells.
  const look = async (): Promise<void> => {
    if (!log.exclusive) await follower.catchUp().catch(() => {})
    onProgress()
  }
  const secondLook = new SecondLook({ env, look })
  const flusher = new Flusher({
    env,
    versions,
    committer,
    logger,
    memtableBytes,
    tailEntries: located.tail?.entries ?? Number.POSITIVE_INFINITY,
    lease,
    secondLook,
    onStuck: (error) => pressure.fail('flush', error),
    write: (memtable, signal) => files.writeMemtable(memtable, signal),
    discard: (written) => files.discard(written),
    onFlushed: async () => {
      const hasCheckpoint = await checkpointer.checkpoint()
      const isSwept = (await orphans?.run()) ?? true
      return hasCheckpoint && isSwept
    },
  })
  const compactor = new Compactor({
    env,
    store,
    incarnation,
    files: context.files,
    versions,
    committer,
    logger,
    automatic: mode !== 'off',
    inPauses: log.exclusive,
    threads,
    onStuck: (error) => pressure.fail('compaction', error),
    discard: (written) => files.discard(written),
    lease,
    secondLook,
    strategy: {
      targetFileBytes,
      levelBaseBytes: tuning.levelBaseBytes ?? DEFAULTS.levelBaseBytes,
      // Before writers are held up, whatever it costs.
      level0Trigger: Math.min(
        tuning.level0Trigger ?? DEFAULTS.level0Trigger,
        level0Slowdown,
        level0Stop,
      ),
      level0Limit: Math.min(LEVEL0_LIMIT, level0Slowdown, level0Stop),
    },
    blockBytes,
  })
  const inlineLimitBytes = tuning.inlineLimitBytes ?? log.inlineLimitBytes
  // What an open finds to do waits for the first commit: opening is to be quick.
  showPressure()
  if (versions.immutables.length > 0) flusher.poke()
  if (pressure.isBlocked) compactor.poke()
  const relief = new WriteRelief({ env, pressure, logger, compacts: mode !== 'off', look })
  pressure.onWait = () => relief.start()
  return {
    committer,
    pressure,
    relief,
    flusher,
    checkpointer,
    compactor,
    secondLook,
    files,
    inlineLimitBytes,
    // Where memtables are small so that little of the log has to be read, batches needn't be: what
    // they hold never is in the log.
    ingestChunkBytes: options.memtableBytes ?? DEFAULTS.memtableBytes,
    onProgress,
  }
}

async function runAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  let failure: unknown
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
}
