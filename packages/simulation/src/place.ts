import type { DatabaseParts } from '@firn/engine'
import {
  type CommitLog,
  type LogEntry,
  ObjectCommitLog,
  ObjectLeases,
  openRoot,
  SpillingCommitLog,
  sstKey,
} from '@firn/manifest'
import { DynamoDbCommitLog, DynamoDbLeases } from '@firn/manifest-dynamodb'
import { type ObjectStore, RetryingObjectStore } from '@firn/object-store'
import { Bucket } from './bucket.js'
import { DynamoDbTable } from './dynamodb-table.js'
import { EmbeddedLog, EmbeddedLogStorage } from './embedded-log.js'
import { Faults } from './faults.js'
import type { Limits } from './limits.js'
import { Network } from './network.js'
import { simDynamoDbClient } from './sim-dynamodb-client.js'
import { SimObjectStore } from './sim-object-store.js'
import type { Life } from './sim-process.js'
import { Violation } from './violation.js'
import type { World } from './world.js'

/** Where a database is: S3 alone, S3 and DynamoDB, or one process's own disk. */
export const PLACE_KINDS = ['objects', 'dynamodb', 'embedded'] as const
export type PlaceKind = (typeof PLACE_KINDS)[number]

/** The parts of a database, put together as the engine does for a location, over simulated services. */
export class Place {
  readonly kind: PlaceKind
  readonly bucket: Bucket
  readonly faults: readonly Faults[]
  readonly #limits: Limits
  readonly #store: Network
  readonly #log: Network
  readonly #table: DynamoDbTable = new DynamoDbTable()
  readonly #embedded: EmbeddedLogStorage = new EmbeddedLogStorage()

  constructor(world: World, kind: PlaceKind, limits: Limits) {
    const { decisions } = world
    this.kind = kind
    this.#limits = limits
    this.bucket = new Bucket((key) =>
      world.fail(new Violation(`${key} was written twice, with different bytes`)),
    )
    // A disk has faults of its own, which are still to come.
    const draw = kind === 'embedded' ? Faults.none : Faults.draw
    this.#store = new Network(world, draw('store', decisions), decisions.between('store ms', 1, 40))
    this.#log = new Network(world, draw('log', decisions), decisions.between('log ms', 1, 40))
    this.faults = [this.#store.faults, this.#log.faults]
  }

  /** Whether what is read may have been damaged on its way. */
  get damages(): boolean {
    return this.faults.some((faults) => faults.damages)
  }

  /** For `open`, in one life of a process. */
  partsFor(life: Life): Pick<DatabaseParts, 'store' | 'log' | 'leases'> {
    const store = this.#storeFor(life)
    const log = (incarnation: string): CommitLog => this.#logFor(life, store, incarnation)
    switch (this.kind) {
      case 'embedded':
        return { store, log }
      case 'objects':
        return {
          store,
          log,
          leases: (incarnation) => new ObjectLeases(store, incarnation, { env: life.env }),
        }
      case 'dynamodb':
        return {
          store,
          log,
          leases: (incarnation) =>
            new DynamoDbLeases({ ...this.#dynamoDb(life), env: life.env, incarnation }),
        }
    }
  }

  /** The id of the database. */
  async findIncarnation(life: Life): Promise<string> {
    const { incarnation } = await openRoot(this.#storeFor(life), { createIfMissing: false })
    return incarnation
  }

  /** The whole log, with the payloads that were truncated. Ask only when there are no faults any more. */
  async readLog(life: Life, incarnation: string): Promise<LogEntry[]> {
    if (this.kind === 'embedded') return this.#embedded.everAppended()
    const entries: LogEntry[] = []
    const log = this.#logFor(life, this.#storeFor(life), incarnation)
    for await (const entry of log.readAfter(0)) entries.push(entry)
    await log.close()
    return entries
  }

  /** The bytes of a file, also where it was deleted since. */
  fileBytes(incarnation: string, fileId: string): Uint8Array | undefined {
    return this.bucket.everPut(sstKey(incarnation, fileId))
  }

  hasFile(incarnation: string, fileId: string): boolean {
    return this.bucket.find(sstKey(incarnation, fileId)) !== undefined
  }

  #storeFor(life: Life): ObjectStore {
    const { pageKeys } = this.#limits
    const store = new SimObjectStore({ life, bucket: this.bucket, network: this.#store, pageKeys })
    return new RetryingObjectStore(store, { env: life.env })
  }

  #logFor(life: Life, store: ObjectStore, incarnation: string): CommitLog {
    const { itemLimitBytes } = this.#limits
    switch (this.kind) {
      case 'embedded':
        return new EmbeddedLog(this.#embedded, life, 5)
      case 'objects':
        return new ObjectCommitLog(store, incarnation)
      case 'dynamodb': {
        const log = new DynamoDbCommitLog({
          ...this.#dynamoDb(life),
          env: life.env,
          incarnation,
        })
        return new SpillingCommitLog(log, store, incarnation, { itemLimitBytes })
      }
    }
  }

  #dynamoDb(life: Life): { client: ReturnType<typeof simDynamoDbClient>; tableName: string } {
    const { pageItems } = this.#limits
    const options = { life, table: this.#table, network: this.#log, pageItems }
    return { client: simDynamoDbClient(options), tableName: 'firn' }
  }
}
