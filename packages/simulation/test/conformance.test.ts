import { systemEnv, ulid } from '@firn/env'
import { type CommitLog, ObjectCommitLog, SpillingCommitLog } from '@firn/manifest'
import { commitLogConformance, leasesConformance } from '@firn/manifest/conformance'
import { DynamoDbCommitLog, DynamoDbLeases } from '@firn/manifest-dynamodb'
import { objectStoreConformance } from '@firn/object-store/conformance'
import { Bucket } from '../src/bucket.js'
import { DynamoDbTable } from '../src/dynamodb-table.js'
import { simDynamoDbClient } from '../src/sim-dynamodb-client.js'
import { SimObjectStore } from '../src/sim-object-store.js'
import { LiveWorld } from './live-world.js'

// What the simulated services do when nothing fails is what the real ones do.

objectStoreConformance('SimObjectStore', () => {
  const live = new LiveWorld()
  const bucket = new Bucket()
  const another = () =>
    new SimObjectStore({ life: live.life, bucket, network: live.network, pageKeys: 7 })
  return { store: another(), another, dispose: async () => live.end() }
})

objectStoreConformance('SimObjectStore, with uploads in parts', () => {
  const live = new LiveWorld()
  const bucket = new Bucket()
  const { life, network } = live
  const another = () => new SimObjectStore({ life, bucket, network, pageKeys: 7, partBytes: 3000 })
  return { store: another(), another, dispose: async () => live.end() }
})

commitLogConformance('ObjectCommitLog over SimObjectStore', async () => {
  const live = new LiveWorld()
  const bucket = new Bucket()
  const incarnation = ulid(systemEnv)
  const { life, network } = live
  return {
    open: async () =>
      new ObjectCommitLog(new SimObjectStore({ life, bucket, network, pageKeys: 7 }), incarnation),
    dispose: async () => live.end(),
  }
})

commitLogConformance('DynamoDbCommitLog over a simulated client', async () => {
  const live = new LiveWorld()
  const dynamoDb = dynamoDbOptions(live)
  const store = new SimObjectStore({ ...live, bucket: new Bucket(), pageKeys: 7 })
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

function dynamoDbOptions(live: LiveWorld) {
  const client = simDynamoDbClient({ ...live, table: new DynamoDbTable(), pageItems: 3 })
  return { client, tableName: 'firn', incarnation: ulid(systemEnv) }
}
