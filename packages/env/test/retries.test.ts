import { expect, test } from 'vitest'
import { FirnError, Retries } from '../src/index.js'
import { TestEnv } from '../src/testing.js'

const busy = new FirnError('FIRN_TEST', 'busy', { retryable: true })
const denied = new FirnError('FIRN_TEST', 'denied')

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** An Env whose sleeps end at once and are recorded. */
class HastyEnv extends TestEnv {
  readonly slept: number[] = []

  override async sleep(ms: number): Promise<void> {
    this.slept.push(ms)
  }
}

function failing(error: Error, times = Number.POSITIVE_INFINITY) {
  let calls = 0
  const call = async () => {
    if (calls++ < times) throw error
    return 'done'
  }
  return { call, calls: () => calls }
}

test('repeats what may help, six times in all, with pauses that grow', async () => {
  const env = new HastyEnv()
  const retries = new Retries({ env })
  const some = failing(busy, 3)
  const heard: unknown[] = []
  expect(await retries.run(undefined, some.call, (error) => heard.push(error))).toBe('done')
  expect(heard).toEqual([busy, busy, busy])
  const all = failing(busy)
  env.slept.length = 0
  expect(await rejection(retries.run(undefined, all.call))).toBe(busy)
  expect(all.calls()).toBe(6)
  expect(env.slept.length).toBe(5)
  for (const [i, ms] of env.slept.entries()) expect(ms).toBeLessThan(50 * 2 ** i)
})

test('repeats nothing that will not help', async () => {
  const hopeless = failing(denied)
  expect(await rejection(new Retries({ env: new HastyEnv() }).run(undefined, hopeless.call))).toBe(
    denied,
  )
  expect(hopeless.calls()).toBe(1)
  const strange = failing(new TypeError('a bug'))
  await rejection(new Retries({ env: new HastyEnv() }).run(undefined, strange.call))
  expect(strange.calls()).toBe(1)
})

test('stops repeating when nothing gets through, until something does', async () => {
  const retries = new Retries({ env: new HastyEnv() })
  for (let i = 0; i < 20; i++) await rejection(retries.run(undefined, failing(busy).call))
  const late = failing(busy)
  expect(await rejection(retries.run(undefined, late.call))).toBe(busy)
  expect(late.calls()).toBe(1)
  for (let i = 0; i < 5; i++) await retries.run(undefined, async () => {})
  const again = failing(busy)
  await rejection(retries.run(undefined, again.call))
  expect(again.calls()).toBe(2)
})

test('stops repeating when its signal aborts', async () => {
  const abort = new AbortController()
  const reason = new Error('enough')
  const retries = new Retries({ env: new TestEnv() })
  const call = failing(busy)
  const running = rejection(retries.run(abort.signal, call.call))
  await Promise.resolve()
  abort.abort(reason)
  expect(await running).toBe(reason)
  expect(call.calls()).toBe(1)
})
