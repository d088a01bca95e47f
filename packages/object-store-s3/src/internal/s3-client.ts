import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { isAwsHost } from './s3-requests.js'

// Connecting takes a few round trips, and reading a part of an object some hundred milliseconds.
// These timeouts are for networks and servers that have gone silent. The SDK counts waiting for a
// connection as connecting, so it never gets more requests than connections: see `S3Requests`.
const CONNECT_TIMEOUT_MS = 10_000
const SILENCE_TIMEOUT_MS = 30_000

/**
 * Creates a client of the SDK, which finds region, credentials and endpoint in the environment, the
 * shared configuration and the machine's role. The store needs of it:
 * - one attempt per request;
 * - at most `connections` connections, kept alive. "Expect: 100-continue" is off, because the SDK
 *   opens an extra connection, outside of that limit, for each request with it;
 * - timeouts, which the SDK doesn't set.
 *
 * Passes settings of the HTTP handler, not a handler: the SDK creates the one that fits the
 * platform, so nothing here depends on Node.js.
 */
export function newClient(
  config: S3ClientConfig,
  forcePathStyle: boolean | undefined,
  connections: number,
): S3Client {
  const agent = { keepAlive: true, maxSockets: connections }
  return new S3Client({
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...config,
    forcePathStyle: forcePathStyle ?? config.forcePathStyle ?? isElsewhere(config.endpoint),
    maxAttempts: 1,
  })
}

/** Whether requests go to a compatible service, which rarely has a domain name for each bucket. */
function isElsewhere(endpoint: S3ClientConfig['endpoint']): boolean {
  if (typeof endpoint === 'function') return true
  if (typeof endpoint === 'object') {
    return !isAwsHost('url' in endpoint ? endpoint.url.hostname : endpoint.hostname)
  }
  const named = endpoint ?? endpointOfEnvironment()
  return named !== undefined && URL.canParse(named) && !isAwsHost(new URL(named).hostname)
}

function endpointOfEnvironment(): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  const variables = process?.env ?? {}
  if (variables['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true') return undefined
  // The SDK uses this order, and ignores empty variables.
  return variables['AWS_ENDPOINT_URL_S3'] || variables['AWS_ENDPOINT_URL'] || undefined
}
