import {
  type DynamoDbKind,
  findDynamoDb,
  HOW_TO_GET_DYNAMODB,
  type LocalDynamoDb,
  startDynamoDb,
} from '@firn/local-services'
import type { TestProject } from 'vitest/node'

/** A server, as provided to the tests. */
export type Service = Omit<LocalDynamoDb, 'stop'>

declare module 'vitest' {
  interface ProvidedContext {
    services: Service[]
  }
}

/**
 * Starts the servers of the tests: dynoxide, and DynamoDB Local as a second opinion if
 * FIRN_DYNAMODB_LOCAL names its folder. If neither is available, tests are skipped, unless
 * FIRN_TEST_SERVICES is 'required' as in CI.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kinds = new Set<DynamoDbKind>()
  const found = await findDynamoDb()
  if (found !== undefined) kinds.add(found)
  if ((process.env['FIRN_DYNAMODB_LOCAL'] ?? '') !== '') kinds.add('dynamodb-local')
  if (kinds.size === 0) {
    const missing = `manifest-dynamodb: no DynamoDB to test with; ${HOW_TO_GET_DYNAMODB}`
    if (process.env['FIRN_TEST_SERVICES'] === 'required') throw new Error(missing)
    console.warn(`${missing}. Its tests are skipped.`)
  }
  const started = await Promise.all([...kinds].map((kind) => startDynamoDb({ kind })))
  project.provide(
    'services',
    started.map(({ stop: _, ...service }) => service),
  )
  return async () => {
    await Promise.all(started.map(({ stop }) => stop()))
  }
}
