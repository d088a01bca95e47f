import { type CommitLog, ObjectCommitLog, ObjectLeases, SpillingCommitLog } from '@firn/commit-log'
import { type Env, FirnError, Retries } from '@firn/env'
import {
  assertConditionalWrites,
  MeteredObjectStore,
  RetryingObjectStore,
} from '@firn/object-store'
import { newDynamoDbClient } from '#directory'
import type { Prices } from '../../prices.js'
import { CloudMeter } from './cloud-meter.js'
import type { Located } from './locate.js'
import type { Location } from './location.js'

/**
 * Entries larger than this become objects of their own: from this size on, a write to S3 and one
 * unit of DynamoDB cost a fraction of the units that the item would take.
 */
const ITEM_LIMIT_BYTES = 64 * 1024

/**
 * Part size of uploads. A file of the usual size (32 MiB, with index and filter) takes one request.
 * In parts of 8 MiB it would take six, because a multipart upload has a beginning and an end.
 */
const PART_BYTES = 40 * 1024 * 1024

/** How often the check of conditional writes is tried if the store can't answer. */
const MAX_ATTEMPTS = 10

/** One request reads a MiB of entries from DynamoDB, but only one entry from S3. */
const DYNAMODB_TAIL = { bytes: 1024 * 1024, entries: 4000 }
const OBJECTS_TAIL = { bytes: 4 * 1024 * 1024, entries: 200 }

/**
 * Locates a database in S3, with its log in DynamoDB or in S3. Loads the packages that talk to AWS,
 * which only such locations need to have installed.
 */
export async function locateS3(
  location: Extract<Location, { kind: 's3' }>,
  options: { env: Env; prices: Prices },
): Promise<Located> {
  const { bucket, prefix, log } = location
  const { env, prices } = options
  const { S3ObjectStore } = await load(
    '@firn/object-store-s3',
    () => import('@firn/object-store-s3'),
  )
  const meter = new CloudMeter(prices, { countsLog: log.kind === 'dynamodb' })
  const s3 = new S3ObjectStore({
    bucket,
    prefix,
    env,
    partBytes: PART_BYTES,
    onRequest: meter.s3,
  })
  const store = new MeteredObjectStore(new RetryingObjectStore(s3, { env }))
  const common = {
    store,
    meter: () => meter.snapshot(store.snapshot().keysDeleted),
    ownsStore: true,
    ownsLog: true,
    directory: undefined,
  }
  // With the log in S3, every commit depends on conditional writes; otherwise only the creation of
  // the database does.
  const assertConditions: Located['assertConditions'] = async (created, signal) => {
    if (!created && log.kind !== 'objects') return
    // Asks the bare store: with retries, a refusal could come from an earlier attempt of its own.
    const retries = new Retries({
      env,
      attempts: MAX_ATTEMPTS,
      baseDelayMs: 40,
      maxDelayMs: 2000,
    })
    await retries.run(signal, () => assertConditionalWrites(s3, { ifMatch: false, signal }))
  }
  if (log.kind === 'objects') {
    return {
      ...common,
      log: 'objects',
      tail: OBJECTS_TAIL,
      assertConditions,
      makeLog: (incarnation) => new ObjectCommitLog(store, incarnation, { env }),
      makeLeases: (incarnation) => new ObjectLeases(store, incarnation, { env }),
    }
  }
  const { DynamoDbCommitLog, DynamoDbLeases } = await load(
    '@firn/manifest-dynamodb',
    () => import('@firn/manifest-dynamodb'),
  )
  const client = await newDynamoDbClient()
  const table = { client, tableName: log.table, env, onRequest: meter.dynamodb }
  return {
    ...common,
    log: `dynamodb:${log.table}`,
    logIsApart: true,
    tail: DYNAMODB_TAIL,
    assertConditions,
    makeLog: (incarnation): CommitLog =>
      new SpillingCommitLog(new DynamoDbCommitLog({ ...table, incarnation }), store, incarnation, {
        itemLimitBytes: ITEM_LIMIT_BYTES,
        env,
      }),
    makeLeases: (incarnation) => new DynamoDbLeases({ ...table, incarnation }),
    release: async () => client.destroy(),
  }
}

async function load<M>(name: string, importing: () => Promise<M>): Promise<M> {
  try {
    return await importing()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new FirnError(
      'FIRN_PACKAGE_MISSING',
      `locations that begin with s3: need the package ${name}; install it beside @firn/engine`,
      { cause: error },
    )
  }
}
