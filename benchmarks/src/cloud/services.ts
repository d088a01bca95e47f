import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalDynamoDb, LocalS3 } from '../../../packages/local-services/dist/index.js'
import { monotonicMs } from '../clock.js'
import type { Counts, OperationCount } from './bill.js'
import { unitsOf } from './capacity-units.js'
import { type Exchange, startCountingProxy } from './counting-proxy.js'
import { dynamoDbOperation, isRead, s3Operation } from './operations.js'

type LocalServices = typeof import('../../../packages/local-services/dist/index.js')

/** The build in this checkout: benchmarks are no member of the workspace. */
const PACKAGE = new URL('../../../packages/local-services/dist/index.js', import.meta.url)

export const BUCKET = 'bench'
export const TABLE = 'bench'

/** A real S3 and a real DynamoDB on loopback. */
export interface Services {
  readonly s3: LocalS3
  readonly dynamodb: LocalDynamoDb
  stop(): Promise<void>
}

/**
 * Starts both, with an empty bucket and table. Rejects, saying what to do, where one is missing.
 */
export async function startServices(): Promise<Services> {
  const local = (await import(PACKAGE.href).catch((cause: unknown) => {
    throw new Error('build the workspace first: npm run build', { cause })
  })) as LocalServices
  if (local.findS3() === undefined) throw new Error(`S3 is missing: ${local.HOW_TO_GET_S3}`)
  if ((await local.findDynamoDb()) === undefined) {
    throw new Error(`DynamoDB is missing: ${local.HOW_TO_GET_DYNAMODB}`)
  }
  const s3 = await local.startS3()
  const dynamodb = await local.startDynamoDb().catch(async (error: unknown) => {
    await s3.stop()
    throw error
  })
  const stop = async (): Promise<void> => {
    await Promise.all([s3.stop(), dynamodb.stop()])
  }
  try {
    await local.createBucket(s3, BUCKET)
    await local.createTable(dynamodb, TABLE)
  } catch (error) {
    await stop()
    throw error
  }
  return { s3, dynamodb, stop }
}

/** The services as one process sees them: through proxies that count what it asks for. */
export interface CountedServices {
  /** How the AWS SDK and SlateDB's object store find them. */
  readonly environment: Record<string, string>
  counts(): Counts
  /** Resolves when nothing was written, and no write was under way, for so long. */
  quiet(forMs: number): Promise<void>
  stop(): Promise<void>
}

/** How long answers are held back, in milliseconds. */
export interface Delays {
  s3: number
  dynamodb: number
}

export async function countServices(
  { s3, dynamodb }: Services,
  delaysMs: Delays,
): Promise<CountedServices> {
  const counts: Counts = { s3: {}, dynamodb: {}, writeUnits: 0, readUnits: 0 }
  let wroteAt = monotonicMs()
  const count = (by: Partial<Record<string, OperationCount>>, name: string, e: Exchange): void => {
    const one = by[name] ?? { requests: 0, refused: 0, bytesSent: 0, bytesReceived: 0 }
    by[name] = one
    one.requests++
    if (e.status >= 400) one.refused++
    one.bytesSent += e.bytesSent
    one.bytesReceived += e.bytesReceived
    if (!isRead(name)) wroteAt = monotonicMs()
  }
  const s3Proxy = await startCountingProxy(s3.endpoint, {
    keepsBodies: false,
    delayMs: delaysMs.s3,
    onExchange: (exchange) => {
      const { method, url, headers } = exchange
      const isCopy = headers['x-amz-copy-source'] !== undefined
      count(counts.s3, s3Operation(method, url, isCopy), exchange)
    },
  })
  const dynamoDbProxy = await startCountingProxy(dynamodb.endpoint, {
    keepsBodies: true,
    delayMs: delaysMs.dynamodb,
    onExchange: (exchange) => {
      const operation = dynamoDbOperation(String(exchange.headers['x-amz-target']))
      count(counts.dynamodb, operation, exchange)
      const units = unitsOf(operation, exchange.request, exchange.answer)
      counts.writeUnits += units.write
      counts.readUnits += units.read
    },
  })
  return {
    environment: {
      AWS_REGION: s3.region,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
      AWS_ENDPOINT_URL_S3: s3Proxy.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamoDbProxy.endpoint,
      AWS_ENDPOINT: s3Proxy.endpoint,
      AWS_ALLOW_HTTP: 'true',
    },
    counts: () => structuredClone(counts),
    async quiet(forMs) {
      while (s3Proxy.underWay + dynamoDbProxy.underWay > 0 || monotonicMs() - wroteAt < forMs) {
        await sleep(10)
      }
    },
    async stop() {
      await Promise.all([s3Proxy.stop(), dynamoDbProxy.stop()])
    },
  }
}
