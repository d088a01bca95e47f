import { SpillingCommitLog } from '@firn/commit-log'
import { commitLogConformance, leasesConformance } from '@firn/commit-log/conformance'
import { systemEnv, ulid } from '@firn/env'
import { MemoryObjectStore } from '@firn/object-store'
import { DynamoDbCommitLog, DynamoDbLeases } from '../src/index.js'
import { deleteItem, describeServices } from './fixtures.js'

describeServices('conformance', (table) => {
  commitLogConformance('DynamoDB', async () => {
    const options = table().options()
    return {
      open: async () => new DynamoDbCommitLog(options),
      loseEntry: (version) => deleteItem(options, version),
      dispose: async () => {},
    }
  })

  commitLogConformance('DynamoDB, long payloads spilled', async () => {
    const options = table().options()
    const store = new MemoryObjectStore()
    return {
      open: async () => {
        const log = new DynamoDbCommitLog(options)
        return new SpillingCommitLog(log, store, options.incarnation, { itemLimitBytes: 17 })
      },
      loseEntry: (version) => deleteItem(options, version),
      dispose: () => store.close(),
    }
  })

  leasesConformance('DynamoDB', async () => {
    const incarnation = ulid(systemEnv)
    return {
      open: async (env) => new DynamoDbLeases(table().options({ env, incarnation })),
      dispose: async () => {},
    }
  })
})
