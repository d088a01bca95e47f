import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** As many as requests are sent at once by default: see `DynamoDbOptions.connections`. */
const CONNECTIONS = 50

/**
 * A client as this package wants it, for Node: one attempt for each request, and connections that
 * are kept and bounded in number. Region, credentials and endpoint come from where the SDK takes
 * them (`AWS_REGION`, `AWS_ENDPOINT_URL_DYNAMODB`, profiles, roles …) unless they are given.
 */
export function createDynamoDbClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  const agent = { keepAlive: true, maxSockets: CONNECTIONS }
  return new DynamoDBClient({
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 2_000,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...config,
    maxAttempts: 1,
  })
}
