import { execFile } from 'node:child_process'
import fs from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasS3, plainClient, service } from './real-s3.ts'

const home = fileURLToPath(new URL('..', import.meta.url))

/** The example with its imports bound to this workspace. */
async function example(): Promise<string> {
  const readme = await fs.readFile(path.join(home, 'README.md'), 'utf8')
  const program = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const objectStore = createRequire(import.meta.url).resolve('@firn/object-store')
  return program
    .replace("'@firn/object-store'", `'${pathToFileURL(objectStore)}'`)
    .replace("'@firn/object-store-s3'", `'${pathToFileURL(path.join(home, 'dist/index.js'))}'`)
}

describe.skipIf(!hasS3)('the README', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'firn-object-store-s3-'))
  })
  afterAll(() => fs.rm(folder, { recursive: true }))

  test('has an example that runs, with what the SDK finds by itself', async () => {
    await fs.writeFile(path.join(folder, 'example.mjs'), await example())
    const client = plainClient()
    await client.send(new CreateBucketCommand({ Bucket: 'my-bucket' }))
    client.destroy()
    const { endpoint, region, accessKeyId, secretAccessKey } = service()
    const run = await promisify(execFile)(process.execPath, ['example.mjs'], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
    })
    expect(run.stdout).toBe("world [ 'put', 'get' ]\n20000000\n")
  })
})
