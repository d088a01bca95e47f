import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { waitFor } from '../src/index.js'

test('returns the result, and leaves no listener on the signal', async () => {
  const { signal } = new AbortController()
  expect(await waitFor(Promise.resolve(7), signal)).toBe(7)
  await expect(waitFor(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  expect(await waitFor(Promise.resolve(8), undefined)).toBe(8)
  await Promise.resolve()
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('rejects with the reason of a signal that aborts first, or was aborted before', async () => {
  const caller = new AbortController()
  const never = new Promise(() => {})
  const waiting = waitFor(never, caller.signal)
  const reason = new Error('enough')
  caller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(waitFor(never, caller.signal)).rejects.toBe(reason)
  expect(getEventListeners(caller.signal, 'abort')).toEqual([])
})
