import { TestEnv } from '@firn/env/testing'
import {
  CUT_REPLY,
  denied,
  LOST_REPLY,
  LOST_REQUEST,
  randomFault,
  refused,
  s3Answers,
  startFaultProxy,
} from '@firn/local-services'
import { RetryingObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { S3ObjectStore } from '../src/index.js'
import { clientConfig, hasS3, newBucket, service } from './real-s3.ts'

const FAULTS = [
  LOST_REPLY,
  LOST_REQUEST,
  CUT_REPLY,
  refused(s3Answers.SLOW_DOWN),
  refused(s3Answers.INTERNAL_ERROR),
  denied(s3Answers.INTERNAL_ERROR),
  refused(s3Answers.CONDITIONAL_REQUEST_CONFLICT),
]

describe.skipIf(!hasS3)('with a fifth of the requests going wrong', () => {
  test('loses nothing, doubles nothing and shows nothing short, behind a RetryingObjectStore', async () => {
    const env = new TestEnv({ seed: 11 })
    const proxy = await startFaultProxy(service().endpoint, () =>
      randomFault(() => env.random(), 0.2, FAULTS),
    )
    const bucket = await newBucket()
    const open = () =>
      new RetryingObjectStore(
        new S3ObjectStore({ bucket, clientConfig: clientConfig(proxy.endpoint) }),
        { attempts: 20, baseDelayMs: 1 },
      )
    const text = (value: string) => new TextEncoder().encode(value)
    const writers = Array.from({ length: 4 }, open)
    const won = new Map<string, string>()
    await Promise.all(
      writers.map(async (store, writer) => {
        for (let i = 0; i < 40; i++) {
          const key = `shared/${String(i).padStart(2, '0')}`
          const content = `entry ${i} of writer ${writer}`
          try {
            await store.put(key, text(content), { ifAbsent: true })
            expect(won.get(key), key).toBeUndefined()
            won.set(key, content)
          } catch (error) {
            expect(error).toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
          }
          await store.put(`own/${writer}/${i}`, text(content))
          const range = { start: -8, end: content.length - 2 }
          const read = await store.get(`own/${writer}/${i}`, { range })
          expect(new TextDecoder().decode(read.bytes)).toBe(content.slice(-8, -2))
        }
        await store.delete(Array.from({ length: 20 }, (_, i) => `own/${writer}/${2 * i}`))
      }),
    )
    const [store = open()] = writers
    const listed: string[] = []
    for await (const { key } of store.list({ prefix: 'shared/' })) {
      listed.push(new TextDecoder().decode((await store.get(key)).bytes))
    }
    expect(listed.length).toBe(40)
    expect(listed).toEqual([...won.keys()].sort().map((key) => won.get(key)))
    let own = 0
    for await (const _ of store.list({ prefix: 'own/' })) own++
    expect(own).toBe(80)
    expect(proxy.faults).toBeGreaterThan(100)
    for (const writer of writers) await writer.close()
    await proxy.stop()
  })
})
