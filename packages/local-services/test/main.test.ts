import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { findDynamoDb, findS3 } from '../src/index.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const dynamoDb = await findDynamoDb()

test.skipIf(dynamoDb === undefined)(
  'starts what there is, says so to a shell, and stops it',
  async () => {
    const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'pipe'] })
    const exited = once(child, 'exit')
    let complaints = ''
    child.stderr.on('data', (chunk) => {
      complaints += chunk
    })
    const variables = new Map<string, string>()
    for await (const line of createInterface({ input: child.stdout })) {
      const [, name, value] = /^export ([A-Z0-9_]+)='?([^']+)'?$/.exec(line) ?? []
      if (name !== undefined) variables.set(name, value ?? '')
      else expect(line).toMatch(/^# /)
      if (line.includes('Ctrl-C')) break
    }
    const endpoints = [...variables.values()].filter((value) =>
      value.startsWith('http://127.0.0.1:'),
    )
    for (const endpoint of endpoints) expect((await fetch(endpoint)).status).toBeGreaterThan(0)
    child.kill('SIGINT')
    expect(await exited).toEqual([0, null])
    for (const endpoint of endpoints) await expect(fetch(endpoint)).rejects.toThrow()

    expect(variables.has('AWS_ACCESS_KEY_ID')).toBe(true)
    expect(variables.get('FIRN_DB')).toBe(
      findS3() === undefined ? undefined : 's3://firn/demo?log=dynamodb:firn',
    )
    expect(endpoints).toHaveLength(findS3() === undefined ? 1 : 2)
    expect(complaints === '').toBe(findS3() !== undefined)
  },
  60_000,
)

test('says what is missing, and how to get it', async () => {
  // Without a PATH there is no S3; without its own package, no DynamoDB. The latter can't be undone
  // here.
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: '' },
  })
  const exited = once(child, 'exit')
  let complaints = ''
  for await (const chunk of child.stderr) {
    complaints += chunk
    if (complaints.includes('\n')) break
  }
  child.kill('SIGINT')
  await exited
  expect(complaints).toMatch(/S3 is missing: .*radosgw ceph-mon ceph-osd/)
})
