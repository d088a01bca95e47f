import {
  type CommitLog,
  type Leases,
  type LogEntry,
  ObjectCommitLog,
  ObjectLeases,
  SpillingCommitLog,
} from '@firn/commit-log'
import type { DatabaseParts } from '@firn/engine'
import { openRoot, sstKey } from '@firn/manifest'
import { DynamoDbCommitLog, DynamoDbLeases } from '@firn/manifest-dynamodb'
import { type ObjectStore, RetryingObjectStore } from '@firn/object-store'
import { S3ObjectStore } from '@firn/object-store-s3'
import { withSmallParts } from '@firn/object-store-s3/testing'
import { Bucket } from './bucket.js'
import type { Decisions } from './decisions.js'
import { CacheDisks } from './disk/cache-disks.js'
import { EmbeddedDisk } from './disk/embedded-disk.js'
import { DynamoDbTable } from './dynamodb-table.js'
import { Faults } from './faults.js'
import type { LifeLimits, Limits } from './limits.js'
import { Network } from './network.js'
import { simDynamoDbClient } from './sim-dynamodb-client.js'
import type { Life, SimProcess } from './sim-process.js'
import { S3_SERVERS, type S3Server, simS3Client } from './sim-s3-client.js'
import type { Theme } from './themes.js'
import { Violation } from './violation.js'
import { LeaseWatch } from './watched-leases.js'
import type { World } from './world.js'

/** Where a database is: S3 alone, S3 and DynamoDB, or one process's own disk. */
export const PLACE_KINDS = ['objects', 'dynamodb', 'embedded'] as const
export type PlaceKind = (typeof PLACE_KINDS)[number]

/** A source of faults, with what went wrong so far. */
export interface FaultSource {
  readonly service: string
  readonly counts: ReadonlyMap<string, number>
  /** Whether anything that was read was damaged. */
  readonly damages: boolean
  /** From now on, nothing goes wrong. */
  end(): void
}

/**
 * The parts of a database, put together as the engine does it for a location, over simulated
 * services.
 */
export class Place {
  readonly kind: PlaceKind
  readonly bucket: Bucket
  /** Faults that may cause errors. */
  readonly faults: readonly FaultSource[]
  /** Faults that must never be noticed. */
  readonly cacheFaults: readonly FaultSource[]
  readonly #limits: Limits
  readonly #server: S3Server
  readonly #store: Network
  readonly #log: Network
  readonly #table: DynamoDbTable = new DynamoDbTable()
  readonly #disk: EmbeddedDisk | undefined
  readonly #caches: CacheDisks | undefined
  readonly #leases: LeaseWatch = new LeaseWatch()

  constructor(world: World, kind: PlaceKind, limits: Limits, theme: Theme) {
    const { decisions } = world
    this.kind = kind
    this.#limits = limits
    this.#server = decisions.pick('server', S3_SERVERS)
    this.bucket = new Bucket((key) =>
      world.fail(new Violation(`${key} was written twice, with different bytes`)),
    )
    const draw = (service: string): Faults =>
      kind === 'embedded' ? Faults.none(service) : Faults.draw(service, decisions, theme)
    this.#store = new Network(world, draw('store'), decisions.between('store ms', 1, 40))
    this.#log = new Network(world, draw('log'), decisions.between('log ms', 1, 40))
    this.#disk = kind === 'embedded' ? new EmbeddedDisk(world, theme, limits.uploadMs) : undefined
    this.faults =
      this.#disk === undefined ? [this.#store.faults, this.#log.faults] : [this.#disk.faults]
    this.#caches = kind === 'embedded' ? undefined : CacheDisks.draw(world, theme)
    this.cacheFaults = this.#caches?.faults ?? []
  }

  /** Whether something that was read may have been damaged on its way. */
  get damages(): boolean {
    return this.faults.some((faults) => faults.damages)
  }

  /** Whether anything went wrong so far. */
  get hadFaults(): boolean {
    return this.faults.some(({ counts }) => counts.size > 0)
  }

  /** Returns the parts for `open`, in one life of a process. */
  partsFor(life: Life, mode: 'write' | 'read'): Pick<DatabaseParts, 'store' | 'log' | 'leases'> {
    const store = this.#storeFor(life)
    const disk = this.#disk
    if (disk !== undefined) return { store, log: () => disk.openLog(life, mode) }
    const log = (incarnation: string): CommitLog => this.#logFor(life, store, incarnation)
    const leases = (incarnation: string): Leases =>
      this.#leases.over(
        this.kind === 'objects'
          ? new ObjectLeases(store, incarnation, { env: life.env })
          : new DynamoDbLeases({ ...this.#dynamoDb(life), env: life.env, incarnation }),
        life,
      )
    return { store, log, leases }
  }

  /**
   * Returns the parts that put a process's cache partly on disk, in one life of it, if the run has
   * disk caches.
   */
  cacheFor(life: Life, { cache }: LifeLimits): Pick<DatabaseParts, 'cache' | 'cacheFiles'> {
    return this.#caches?.partsFor(life, cache) ?? { cache }
  }

  /** Finds the id of the database. */
  async findIncarnation(life: Life): Promise<string> {
    const { incarnation } = await openRoot(this.#storeFor(life), { createIfMissing: false })
    return incarnation
  }

  /**
   * Reads the whole log, with the payloads that were truncated. Call it only once there are no
   * faults.
   */
  async readLog(life: Life, incarnation: string): Promise<LogEntry[]> {
    if (this.#disk !== undefined) return this.#disk.readLog(life)
    const entries: LogEntry[] = []
    const log = this.#logFor(life, this.#storeFor(life), incarnation)
    for await (const entry of log.readAfter(0)) entries.push(entry)
    await log.close()
    return entries
  }

  /** Returns the bytes of a file, even if it was deleted since. */
  fileBytes(incarnation: string, fileId: string): Uint8Array | undefined {
    const key = sstKey(incarnation, fileId)
    return this.#disk === undefined ? this.bucket.everPut(key) : this.#disk.objectBytes(key)
  }

  hasFile(incarnation: string, fileId: string): boolean {
    const key = sstKey(incarnation, fileId)
    return this.#disk === undefined
      ? this.bucket.find(key) !== undefined
      : this.#disk.hasObject(key)
  }

  /** Returns the keys of all existing objects. */
  objectKeys(): readonly string[] {
    return this.#disk === undefined ? this.bucket.keys() : this.#disk.objectKeys()
  }

  /**
   * Crashes the machine that the database is on, if it is on one. All its processes must be dead.
   */
  crash(decisions: Decisions): void {
    this.#disk?.crash(decisions)
  }

  /** Called when a process crashed. The machine of its cache may crash too. */
  crashCache(process: SimProcess, decisions: Decisions): void {
    this.#caches?.crash(process, decisions)
  }

  /** Describes what is left of disk caches that were emptied. */
  cacheLeftovers(): readonly string[] {
    return this.#caches?.leftovers() ?? []
  }

  #storeFor(life: Life): ObjectStore {
    if (this.#disk !== undefined) return this.#disk.storeFor(life)
    const { pageKeys, partBytes, uploadMs, readMs, leaseMs } = this.#limits
    const client = simS3Client({
      life,
      bucket: this.bucket,
      network: this.#store,
      server: this.#server,
      pageKeys,
      slowness: { uploadMs, readMs, leaseMs },
      // A log in the store takes its end from a list. Elsewhere lists only find checkpoints, and an
      // older one will do.
      listsMayBeStale: this.kind === 'dynamodb',
    })
    const options = { bucket: 'firn', client, partBytes, env: life.env }
    const store = new S3ObjectStore(withSmallParts(options))
    return new RetryingObjectStore(store, { env: life.env })
  }

  #logFor(life: Life, store: ObjectStore, incarnation: string): CommitLog {
    const { itemLimitBytes } = this.#limits
    if (this.kind === 'objects') return new ObjectCommitLog(store, incarnation, { env: life.env })
    const log = new DynamoDbCommitLog({ ...this.#dynamoDb(life), env: life.env, incarnation })
    return new SpillingCommitLog(log, store, incarnation, { itemLimitBytes, env: life.env })
  }

  #dynamoDb(life: Life): { client: ReturnType<typeof simDynamoDbClient>; tableName: string } {
    const { pageItems, leaseMs } = this.#limits
    const options = { life, table: this.#table, network: this.#log, pageItems, leaseMs }
    return { client: simDynamoDbClient(options), tableName: 'firn' }
  }
}
