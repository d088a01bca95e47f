import { expect, test } from 'vitest'
import { MemoryCommitLog } from '../src/index.js'
import { token } from './fixtures.js'

test('a payload that is used again after its append stays in the log as it was, a Buffer too', async () => {
  const log = new MemoryCommitLog()
  const payload = Buffer.from('one')
  await log.append({ version: 1, timestamp: 1, token: token(1), payload })
  payload.write('two')
  await log.append({ version: 2, timestamp: 2, token: token(2), payload })
  payload.fill(0)
  const payloads: string[] = []
  for await (const entry of log.readAfter(0)) {
    payloads.push(Buffer.from(entry.payload ?? []).toString())
  }
  expect(payloads).toEqual(['one', 'two'])
})
