import {
  type FaultProxy,
  type HttpFault,
  type ProxiedRequest,
  startFaultProxy,
} from '@firn/local-services'
import { onTestFinished } from 'vitest'
import type { DynamoDbOptions } from '../src/index.js'
import { clientOf, type TestTable } from './fixtures.js'

/** An operation's short name: PutItem, Query … */
export function operationOf({ headers }: ProxiedRequest): string {
  return String(headers['x-amz-target']).split('.')[1] ?? ''
}

/**
 * A proxy in front of a table's server, and options that use it. Both end with the test.
 */
export async function behindProxy(
  table: TestTable,
  choose: (request: ProxiedRequest) => HttpFault | undefined,
): Promise<{ proxy: FaultProxy; options: DynamoDbOptions }> {
  const proxy = await startFaultProxy(table.service.endpoint, choose)
  const client = clientOf(table.service, proxy.endpoint)
  onTestFinished(async () => {
    await proxy.stop()
    client.destroy()
  })
  return { proxy, options: table.options({ client }) }
}

/** Injects these faults, one after another, into requests of an operation; then none. */
export function inTurn(
  faults: readonly HttpFault[],
  operation?: string,
): (request: ProxiedRequest) => HttpFault | undefined {
  const left = [...faults]
  return (request) =>
    operation === undefined || operationOf(request) === operation ? left.shift() : undefined
}
