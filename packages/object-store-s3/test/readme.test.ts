import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { checkReadme } from '@firn/test-support'
import { test } from 'vitest'
import { hasS3, plainClient, service } from './real-s3.ts'

test.skipIf(!hasS3)(
  'the example of the README runs, with what the SDK finds in the environment',
  async () => {
    const client = plainClient()
    await client.send(new CreateBucketCommand({ Bucket: 'my-bucket' }))
    client.destroy()
    const { endpoint, region, accessKeyId, secretAccessKey } = service()
    await checkReadme(import.meta.dirname, {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    })
  },
)
