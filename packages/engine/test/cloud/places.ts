import type { CommitLog } from '@firn/commit-log'
import { systemEnv } from '@firn/env'
import { createBucket, createTable } from '@firn/local-services'
import { openRoot } from '@firn/manifest'
import { inject } from 'vitest'
import { AWS_PRICES } from '../../src/index.js'
import { locateS3 } from '../../src/internal/open/locate-s3.js'
import { parseLocation } from '../../src/internal/open/location.js'
import type { CloudEnvironment } from './global-setup.js'

/** The servers, or `undefined` where there are none. */
export const cloud: CloudEnvironment | undefined = inject('cloud')

export const LOGS = ['dynamodb', 'objects'] as const
export type LogKind = (typeof LOGS)[number]

let made = 0

/**
 * The location of a new database. This process is set up to open it, as the AWS SDK takes what it
 * needs to know from the environment.
 */
export async function newLocation(log: LogKind): Promise<string> {
  if (cloud === undefined) throw new Error('there are no servers to test with')
  Object.assign(process.env, cloud)
  const name = `firn-${process.pid}-${++made}-${Math.random().toString(36).slice(2, 8)}`
  await createBucket(signing(cloud['AWS_ENDPOINT_URL_S3']), name)
  if (log === 'objects') return `s3://${name}/some/folder?log=objects`
  await createTable(signing(cloud['AWS_ENDPOINT_URL_DYNAMODB']), name)
  return `s3://${name}/some/folder?log=dynamodb:${name}`
}

/** The log of a database, to look at its entries. */
export async function openLog(location: string): Promise<CommitLog> {
  const parsed = parseLocation(location)
  if (parsed.kind !== 's3') throw new Error('not a location in S3')
  const { store, makeLog } = await locateS3(parsed, { env: systemEnv, prices: AWS_PRICES })
  return makeLog((await openRoot(store, { createIfMissing: false })).incarnation)
}

function signing(endpoint: string | undefined): {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
} {
  return {
    endpoint: endpoint ?? '',
    region: cloud?.['AWS_REGION'] ?? '',
    accessKeyId: cloud?.['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: cloud?.['AWS_SECRET_ACCESS_KEY'] ?? '',
  }
}
