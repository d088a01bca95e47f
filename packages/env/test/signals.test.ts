import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { linkedController, separateSignals } from '../src/index.js'

test('aborts each separate signal with its caller, by one listener, until the end', () => {
  const caller = new AbortController()
  const { signals, end } = separateSignals(caller.signal, 20)
  expect(new Set(signals).size).toBe(20)
  expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1)
  const reason = new Error('enough')
  caller.abort(reason)
  expect(signals.map((signal) => signal?.reason)).toEqual(Array(20).fill(reason))
  end()

  const late = separateSignals(caller.signal, 2)
  expect(late.signals.map((signal) => signal?.reason)).toEqual([reason, reason])
})

test('leaves a signal alone once the calls are over', () => {
  const caller = new AbortController()
  const { signals, end } = separateSignals(caller.signal, 3)
  const linked = linkedController(caller.signal)
  end()
  linked.end()
  caller.abort()
  expect([...signals, linked.controller.signal].some((signal) => signal?.aborted)).toBe(false)
  expect(getEventListeners(caller.signal, 'abort')).toEqual([])
})

test('needs no signals if the caller has none', () => {
  const { signals, end } = separateSignals(undefined, 2)
  expect(signals).toEqual([undefined, undefined])
  end()
  expect(linkedController(undefined).controller.signal.aborted).toBe(false)
})

test('gives work a controller that aborts with its caller, and by itself', () => {
  const caller = new AbortController()
  const late = linkedController(caller.signal).controller
  late.abort('late')
  expect(caller.signal.aborted).toBe(false)
  const other = linkedController(caller.signal).controller
  caller.abort('over')
  expect([late.signal.reason, other.signal.reason]).toEqual(['late', 'over'])
  expect(linkedController(caller.signal).controller.signal.reason).toBe('over')
})
