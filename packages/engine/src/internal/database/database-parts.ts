import type { BlockCache } from '@firn/block-cache'
import type { Env } from '@firn/env'
import type { RequestStats } from '../../request-stats.js'
import type { WritePressure } from '../commit/write-pressure.js'
import type { FileCache } from '../files/file-cache.js'
import type { WritableParts, WriteContext } from '../ingest/write-context.js'
import type { Checkpointer } from '../maintenance/checkpointer.js'
import type { Compactor } from '../maintenance/compactor.js'
import type { Flusher } from '../maintenance/flusher.js'
import type { SecondLook } from '../maintenance/second-look.js'
import type { WriteRelief } from '../maintenance/write-relief.js'
import type { LogFollower } from '../view/log-follower.js'
import type { VersionSet } from '../view/version-set.js'
import type { HeadSource } from './head-source.js'

/** The parts of an open database. */
export interface DatabaseHandleParts {
  readonly env: Env
  /** The requests made to the services so far. */
  readonly requests: () => RequestStats
  readonly cache: BlockCache
  readonly files: FileCache
  readonly versions: VersionSet
  readonly follower: LogFollower
  readonly head: HeadSource
  /** The means by which tables, batches and transactions write. */
  readonly writer: WriteContext
  readonly writing: WritingParts | undefined
  /** Releases what `open` created: log, store, threads. */
  readonly release: () => Promise<void>
}

/** Parts that only a database open for writing has. */
export interface WritingParts extends WritableParts {
  readonly pressure: WritePressure
  readonly relief: WriteRelief
  readonly flusher: Flusher
  readonly checkpointer: Checkpointer
  readonly compactor: Compactor
  readonly secondLook: SecondLook
}
