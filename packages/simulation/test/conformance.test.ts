import { type CommitLog, ObjectCommitLog, SpillingCommitLog } from '@firn/commit-log'
import { commitLogConformance, leasesConformance } from '@firn/commit-log/conformance'
import { systemEnv, ulid } from '@firn/env'
import { DynamoDbCommitLog, DynamoDbLeases } from '@firn/manifest-dynamodb'
import { objectStoreConformance } from '@firn/object-store/conformance'
import { S3ObjectStore } from '@firn/object-store-s3'
import { withSmallParts } from '@firn/object-store-s3/testing'
import { Bucket } from '../src/bucket.js'
import { DynamoDbTable } from '../src/dynamodb-table.js'
import { simDynamoDbClient } from '../src/sim-dynamodb-client.js'
import { S3_SERVERS, type S3Server, simS3Client } from '../src/sim-s3-client.js'
import { LiveWorld } from './live-world.js'

// What the simulated services do when nothing fails is what the real ones do.

for (const server of S3_SERVERS) {
  for (const partBytes of [100_000, 3000]) {
    objectStoreConformance(`S3ObjectStore over ${server}, parts of ${partBytes} bytes`, () => {
      const live = new LiveWorld()
      const bucket = new Bucket()
      const another = () => storeOf(live, bucket, { partBytes, server })
      return { store: another(), another, dispose: async () => live.end() }
    })
  }
}

commitLogConformance('ObjectCommitLog over a simulated client', async () => {
  const live = new LiveWorld()
  const bucket = new Bucket()
  const incarnation = ulid(systemEnv)
  return {
    open: async () => new ObjectCommitLog(storeOf(live, bucket), incarnation),
    dispose: async () => live.end(),
  }
})

commitLogConformance('DynamoDbCommitLog over a simulated client', async () => {
  const live = new LiveWorld()
  const dynamoDb = dynamoDbOptions(live)
  const store = storeOf(live, new Bucket())
  return {
    open: async (): Promise<CommitLog> => {
      const log = new DynamoDbCommitLog({ ...dynamoDb, env: live.life.env })
      return new SpillingCommitLog(log, store, dynamoDb.incarnation, { itemLimitBytes: 17 })
    },
    dispose: async () => live.end(),
  }
})

leasesConformance('DynamoDbLeases over a simulated client', async () => {
  const live = new LiveWorld()
  const dynamoDb = dynamoDbOptions(live)
  return {
    // The suite's clocks stand still: they are for leases, not for requests.
    open: async (env) =>
      new DynamoDbLeases({ ...dynamoDb, env, requestTimeoutMs: Number.MAX_SAFE_INTEGER }),
    dispose: async () => live.end(),
  }
})

function storeOf(
  { life, network }: LiveWorld,
  bucket: Bucket,
  { partBytes = 100_000, server = 'aws' as S3Server } = {},
): S3ObjectStore {
  const client = simS3Client({ life, bucket, network, pageKeys: 7, server })
  return new S3ObjectStore(withSmallParts({ bucket: 'firn', client, partBytes, env: life.env }))
}

function dynamoDbOptions(live: LiveWorld) {
  const client = simDynamoDbClient({ ...live, table: new DynamoDbTable(), pageItems: 3 })
  return { client, tableName: 'firn', incarnation: ulid(systemEnv) }
}
