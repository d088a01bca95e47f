import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** The default of `DynamoDbOptions.connections`. */
const CONNECTIONS = 50

/**
 * Creates a client with the settings that this package needs, for Node.js: one attempt for each
 * request, and a limited number of connections, kept alive. Unless `config` has them, the SDK finds
 * region, credentials and endpoint (`AWS_REGION`, `AWS_ENDPOINT_URL_DYNAMODB`, profiles, roles…).
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
