import {
  findDynamoDb,
  findS3,
  HOW_TO_GET_DYNAMODB,
  HOW_TO_GET_S3,
  startDynamoDb,
  startS3,
} from '@firn/local-services'
import type { TestProject } from 'vitest/node'

/** What the AWS SDK needs to know of the servers, as environment variables. */
export type CloudEnvironment = Readonly<Record<string, string>>

declare module 'vitest' {
  interface ProvidedContext {
    cloud: CloudEnvironment | undefined
  }
}

/**
 * An S3 and a DynamoDB server for the tests of cloud locations. Where one of them can't be started
 * those tests are skipped, unless FIRN_TEST_SERVICES is 'required' as in CI.
 */
export default async function setup(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  const missing = [
    ...(findS3() === undefined ? [`no S3 server; ${HOW_TO_GET_S3}`] : []),
    ...((await findDynamoDb()) === undefined ? [`no DynamoDB; ${HOW_TO_GET_DYNAMODB}`] : []),
  ]
  if (missing.length > 0) {
    const message = `engine: ${missing.join('. And ')}`
    if (process.env['FIRN_TEST_SERVICES'] === 'required') throw new Error(message)
    console.warn(`${message}. The tests of cloud locations are skipped.`)
    project.provide('cloud', undefined)
    return undefined
  }
  const [s3, dynamoDb] = await Promise.all([startS3(), startDynamoDb()])
  project.provide('cloud', {
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
  })
  return async () => {
    await Promise.all([s3.stop(), dynamoDb.stop()])
  }
}
