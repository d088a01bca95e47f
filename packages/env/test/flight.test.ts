import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Flight } from '../src/index.js'

test('does its work once, for all who join', async () => {
  let runs = 0
  const flight = new Flight(async () => ++runs, { abortable: false })
  const { signal } = new AbortController()
  expect(await Promise.all([flight.join(), flight.join(signal)])).toEqual([1, 1])
  expect(await flight.join(signal)).toBe(1)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('fails for all who join, also if the work fails at once', async () => {
  const failure = new Error('no')
  const flight = new Flight(
    () => {
      throw failure
    },
    { abortable: true },
  )
  await expect(flight.join()).rejects.toBe(failure)
  await expect(flight.join(new AbortController().signal)).rejects.toBe(failure)
})

test('is aborted for all by its owner', async () => {
  const flight = new Flight(untilAborted, { abortable: true })
  const waiting = expect(flight.join()).rejects.toBe('over')
  flight.abort('over')
  await waiting
})

test('is aborted when the last caller has given up, and not before', async () => {
  const caller = fc.record({ hasSignal: fc.boolean(), givesUp: fc.boolean() })
  const property = fc.asyncProperty(fc.array(caller, { minLength: 1 }), async (callers) => {
    let abandoned = 0
    let aborted = false
    const flight = new Flight(
      (signal) => {
        signal?.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise<never>(() => {})
      },
      { abortable: callers[0]?.hasSignal === true, onAbandoned: () => abandoned++ },
    )
    await undefined
    const controllers = callers.map(() => new AbortController())
    const joined = callers.map(({ hasSignal }, i) =>
      flight.join(hasSignal ? controllers[i]?.signal : undefined),
    )
    for (const [i, { hasSignal, givesUp }] of callers.entries()) {
      if (!givesUp) continue
      controllers[i]?.abort(i)
      if (hasSignal) await expect(joined[i]).rejects.toBe(i)
    }
    const isAbandoned = callers.every(({ hasSignal, givesUp }) => hasSignal && givesUp)
    expect(aborted).toBe(isAbandoned)
    expect(abandoned).toBe(isAbandoned ? 1 : 0)
  })
  await fc.assert(property, { numRuns: 50 })
})

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
}
