import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { isAwsHost } from './s3-requests.js'

// A connection takes a few round trips, a request for a part of an object some hundred
// milliseconds; these are for networks and servers that have gone silent. The SDK counts waiting
// for one of its connections as connecting, and so it never gets more requests than it has
// connections: see `S3Requests`.
const CONNECT_TIMEOUT_MS = 10_000
const SILENCE_TIMEOUT_MS = 30_000
/**
 * A client as the SDK makes it (region, credentials and endpoint from the environment, the shared
 * configuration, the machine's role), with what a store needs of it:
 * - one attempt per request;
 * - kept-alive connections, and no more than `connections` of them. "Expect: 100-continue" is left
 *   out, as the SDK makes a connection of its own, outside of that bound, for each request that has
 *   it;
 * - timeouts, of which the SDK has none.
 *
 * The settings of the HTTP handler are given as such, not as a handler: the SDK makes the one that
 * fits, so that nothing here depends on Node.
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

/** Whether requests go to something like S3, which rarely has a domain name for each bucket. */
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
  // The SDK takes them in this order, and an empty one as none.
  return variables['AWS_ENDPOINT_URL_S3'] || variables['AWS_ENDPOINT_URL'] || undefined
}
