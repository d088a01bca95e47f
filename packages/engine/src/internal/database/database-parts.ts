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

/** What an open database is made of. */
export interface DatabaseHandleParts {
  readonly env: Env
  /** What was asked of the object store so far. */
  readonly requests: () => RequestStats
  readonly cache: BlockCache
  readonly files: FileCache
  readonly versions: VersionSet
  readonly follower: LogFollower
  readonly head: HeadSource
  /** What tables, batches and transactions write by. */
  readonly writer: WriteContext
  readonly writing: WritingParts | undefined
  /** Releases what `open` made: log, store, threads. */
  readonly release: () => Promise<void>
}

/** What only a database that is open for writing has. */
export interface WritingParts extends WritableParts {
  readonly pressure: WritePressure
  readonly relief: WriteRelief
  readonly flusher: Flusher
  readonly checkpointer: Checkpointer
  readonly compactor: Compactor
  readonly secondLook: SecondLook
}
