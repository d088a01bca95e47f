import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { systemEnv, ulid } from '@firn/env'
import { inject } from 'vitest'
import type { Service } from './global-setup.ts'

/** Whether a server is available: `describe.skipIf(!hasS3)`. */
export const hasS3: boolean = inject('s3') !== undefined

export function service(): Service {
  const started = inject('s3')
  if (started === undefined) throw new Error('there is no S3 server in this run')
  return started
}

/** Settings for a client of the server. */
export function clientConfig(endpoint: string = service().endpoint): S3ClientConfig {
  const { region, accessKeyId, secretAccessKey } = service()
  return { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
}

/** A client for requests that stores don't make. */
export function plainClient(): S3Client {
  return new S3Client({ ...clientConfig(), forcePathStyle: true })
}

/** Creates a bucket, which is removed with the server. */
export async function newBucket(): Promise<string> {
  const bucket = `firn-${ulid(systemEnv).toLowerCase()}`
  const client = plainClient()
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return bucket
}
