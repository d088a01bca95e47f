import { BlockCache } from '@firn/block-cache'
import { TimeSlice } from '@firn/env'
import { begunKey, emptyState, openRoot } from '@firn/manifest'
import { openDiskCache } from '#directory'
import type { OpenOptions } from '../../open-options.js'
import { Progress } from '../commit/progress.js'
import { DatabaseHandle } from '../database/database-handle.js'
import { HeadSource } from '../database/head-source.js'
import { DiskTier } from '../files/disk-tier.js'
import { FileCache } from '../files/file-cache.js'
import { WriteContext } from '../ingest/write-context.js'
import { ArenaPool } from '../memtable/arena-pool.js'
import { LogFollower } from '../view/log-follower.js'
import { VersionSet } from '../view/version-set.js'
import { assertNotBegun } from './begun-log.js'
import { createDatabase } from './create-database.js'
import { settingsOf } from './defaults.js'
import type { Located } from './locate.js'
import { makeWritingParts } from './writing-parts.js'

/** Opens the located parts, wires them together, and reads the log. */
export async function openDatabase(
  located: Located,
  options: OpenOptions,
): Promise<DatabaseHandle> {
  const settings = settingsOf(options, located)
  const { env, logger, signal, writes, memtableBytes } = settings
  const { store, logIsApart = false } = located
  const cleanup: (() => Promise<void>)[] = located.release === undefined ? [] : [located.release]
  if (located.ownsStore) cleanup.unshift(() => store.close())
  try {
    const diskCache = settings.disk && openDiskCache(settings.disk, env, located.cacheFiles)
    const { incarnation, created } = await openRoot(store, {
      env,
      createIfMissing: settings.createIfMissing,
      log: located.log,
      place: located.place,
      signal,
    })
    if (writes) await located.assertConditions?.(created, signal)
    signal?.throwIfAborted()
    const log = await located.makeLog(incarnation)
    if (located.ownsLog) cleanup.unshift(() => log.close())
    const cache = new BlockCache({ bytes: settings.cacheBytes })
    const files = new FileCache({
      store,
      incarnation,
      cache,
      disk: diskCache && new DiskTier(diskCache, incarnation),
      deleteObsolete: writes && log.exclusive,
      onDeleteFailed: (error) => logger?.warn('a file could not be deleted', { error }),
    })
    const arenas = new ArenaPool(memtableBytes, writes && settings.threadsIn !== undefined)
    const versions = new VersionSet(emptyState(), files, arenas)
    const slice = new TimeSlice(env, settings.sliceMs)
    const progress = new Progress()
    const parts = { env, slice, store, log, incarnation, versions, files }
    const onApplied = (): void => progress.report()
    const follower = new LogFollower({ ...parts, arenas, memtableBytes, onApplied })
    const lookedAtMs = env.monotonic()
    await follower.start(signal)
    signal?.throwIfAborted()
    if (versions.state.version === 0) {
      if (logIsApart && !created) await assertNotBegun(store, incarnation, signal)
      if (writes) await createDatabase({ env, log, incarnation, follower }, signal)
      if (writes && logIsApart)
        await store.put(begunKey(incarnation), new Uint8Array(0), { signal })
    }
    const reading = { ...parts, follower, progress }
    const writing = writes ? makeWritingParts(located, settings, reading, cleanup) : undefined
    const head = new HeadSource({
      ...parts,
      follower,
      pageRows: settings.pageRows,
      committer: writing?.committer,
      maxStalenessMs: settings.maxStalenessMs,
      lookedAtMs,
    })
    const assertOpen = (): void => head.assertOpen()
    const writer = new WriteContext({ env, versions, writable: writing, assertOpen })
    const release = (): Promise<void> => runAll(cleanup)
    const requests = located.meter
    return new DatabaseHandle({ ...reading, cache, head, writing, writer, requests, release })
  } catch (error) {
    await runAll(cleanup).catch(() => {})
    // Running work is done or not, as when a process ends: the next open continues from there.
    signal?.throwIfAborted()
    throw error
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
