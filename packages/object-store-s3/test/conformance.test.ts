import { objectStoreConformance } from '@firn/object-store/conformance'
import { LONG } from '@firn/test-support'
import { describe } from 'vitest'
import { S3ObjectStore } from '../src/index.js'
import { clientConfig, hasS3, newBucket } from './real-s3.ts'

describe.skipIf(!hasS3)('on a real server', () => {
  const make = async () => {
    const options = { bucket: await newBucket(), clientConfig: clientConfig() }
    return { store: new S3ObjectStore(options), another: () => new S3ObjectStore(options) }
  }
  // More objects than a request takes are deleted in requests.test.ts.
  const longRaces = LONG ? { rounds: 100, racers: 50 } : {}
  objectStoreConformance('S3ObjectStore', make, { manyObjects: 100, ...longRaces })
})
