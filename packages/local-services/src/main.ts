import { createBucket, createTable } from './create.js'
import { findDynamoDb, HOW_TO_GET_DYNAMODB, startDynamoDb } from './dynamodb.js'
import { findS3, HOW_TO_GET_S3, startS3 } from './s3.js'

// Starts an S3 and a DynamoDB on loopback while it runs, and prints the lines that a shell needs to
// use them: `npm run --silent services`. Missing services are listed on standard error.

const NAME = 'firn'
const ANYBODY = { accessKeyId: 'local', secretAccessKey: 'local' }

interface Running {
  /** Lines for a shell. */
  lines: string[]
  stop(): Promise<void>
}

async function runS3(): Promise<Running> {
  const s3 = await startS3()
  await createBucket(s3, NAME)
  return {
    lines: [
      `# S3: ${s3.kind}, with the bucket ${NAME}`,
      `export AWS_ENDPOINT_URL_S3=${s3.endpoint}`,
      // DynamoDB takes any credentials, S3 only these.
      ...credentials(s3),
    ],
    stop: () => s3.stop(),
  }
}

async function runDynamoDb(): Promise<Running> {
  const dynamoDb = await startDynamoDb()
  await createTable(dynamoDb, NAME)
  return {
    lines: [
      `# DynamoDB: ${dynamoDb.kind}, with the table ${NAME}`,
      `export AWS_ENDPOINT_URL_DYNAMODB=${dynamoDb.endpoint}`,
    ],
    stop: () => dynamoDb.stop(),
  }
}

function credentials(of: {
  region: string
  accessKeyId: string
  secretAccessKey: string
}): string[] {
  return [
    `export AWS_REGION=${of.region}`,
    `export AWS_ACCESS_KEY_ID=${of.accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${of.secretAccessKey}`,
  ]
}

async function main(): Promise<void> {
  const hasS3 = findS3() !== undefined
  const hasDynamoDb = (await findDynamoDb()) !== undefined
  if (!hasS3) console.error(`# S3 is missing: ${HOW_TO_GET_S3}`)
  if (!hasDynamoDb) console.error(`# DynamoDB is missing: ${HOW_TO_GET_DYNAMODB}`)
  if (!hasS3 && !hasDynamoDb) {
    process.exitCode = 1
    return
  }

  // A second Ctrl-C ends this process at once, which ends the services that it started.
  const asked = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  const starting = [...(hasS3 ? [runS3()] : []), ...(hasDynamoDb ? [runDynamoDb()] : [])]
  try {
    const running = await Promise.all(starting)
    for (const { lines } of running) console.log(lines.join('\n'))
    if (hasS3) {
      const log = hasDynamoDb ? `dynamodb:${NAME}` : 'objects'
      console.log(`export FIRN_DB='s3://${NAME}/demo?log=${log}'`)
    } else {
      console.log(credentials({ ...ANYBODY, region: 'us-east-1' }).join('\n'))
    }
    console.log('# Ctrl-C stops what was started, and removes its data.')
    await asked
  } finally {
    for (const one of await Promise.allSettled(starting)) {
      if (one.status === 'fulfilled') await one.value.stop()
    }
  }
}

await main()
