import { checkReadme } from '@firn/test-support'
import { test } from 'vitest'
import { findDynamoDb } from '../src/index.js'

const dynamoDb = await findDynamoDb()

test.skipIf(dynamoDb !== 'dynoxide')(
  'the example of the README runs and prints what its comments say',
  async () => {
    await checkReadme(import.meta.dirname)
  },
)
