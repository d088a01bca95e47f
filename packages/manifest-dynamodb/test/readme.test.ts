import fs from 'node:fs'
import { appendSettled } from '@firn/commit-log'
import { dynamoDbAnswers, refused } from '@firn/local-services'
import { checkReadme } from '@firn/test-support'
import { expect, inject, test } from 'vitest'
import { DynamoDbCommitLog, DynamoDbLeases } from '../src/index.js'
import { collect, describeServices, newEntry } from './fixtures.js'
import { behindProxy, operationOf } from './proxy.js'

const readme = fs.readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const [service] = inject('services')

test.skipIf(service === undefined)(
  'the example of the README runs and prints what its comments say',
  async () => {
    await checkReadme(import.meta.dirname, {
      AWS_ENDPOINT_URL_DYNAMODB: service?.endpoint,
      AWS_REGION: service?.region,
      AWS_ACCESS_KEY_ID: service?.accessKeyId,
      AWS_SECRET_ACCESS_KEY: service?.secretAccessKey,
    })
  },
)

describeServices('the policies in the README', (table) => {
  const [reader = [], writer = []] = [...readme.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, text = '']) => actionsOf(text),
  )
  const extra = [...(/^Collector: .*$/m.exec(readme)?.[0] ?? '').matchAll(/dynamodb:(\w+)/g)]
  const collector = [...writer, ...extra.map(([, action = '']) => action)]

  /** A log and leases with these permissions. */
  async function as(allowed: readonly string[]) {
    const { options } = await behindProxy(table(), (request) =>
      allowed.includes(operationOf(request)) ? undefined : refused(dynamoDbAnswers.ACCESS_DENIED),
    )
    return { options, log: new DynamoDbCommitLog(options) }
  }

  test('allow a reader to read, and no more', async () => {
    const { log } = await as(reader)
    expect(await collect(log.readAfter(0))).toEqual([])
    await expect(log.append(newEntry(1))).rejects.toMatchObject({ reason: 'permission' })
  })

  test('allow a writer to commit and to hold leases, and not to truncate', async () => {
    const { options, log } = await as(writer)
    for (const version of [1, 2]) await appendSettled(log, newEntry(version))
    expect((await log.append(newEntry(1))).appended).toBe(false)
    expect(await collect(log.readAfter(0))).toHaveLength(2)
    const lease = await new DynamoDbLeases(options).acquire('flush', { durationMs: 1000 })
    await lease?.renew()
    await lease?.release()
    await expect(log.truncate(1)).rejects.toMatchObject({ reason: 'permission' })
  })

  test('allow a collector to truncate, and no role to delete', async () => {
    const { log } = await as(collector)
    for (const version of [1, 2]) await appendSettled(log, newEntry(version))
    await log.truncate(1)
    expect(collector.filter((action) => action.startsWith('Delete'))).toEqual([])
  })
})

/** Operations that a policy allows, without the service's name. */
function actionsOf(policy: string): string[] {
  const { Statement } = JSON.parse(policy) as { Statement: { Action: string | string[] }[] }
  return Statement.flatMap(({ Action }) => Action).map((action) => action.split(':')[1] ?? '')
}
