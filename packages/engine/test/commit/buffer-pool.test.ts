import { expect, test } from 'vitest'
import { BufferPool } from '../../src/internal/append/buffer-pool.js'

test('a buffer that was given back is used again, for payloads of about its size', () => {
  const buffers = new BufferPool()
  const first = buffers.take(10_000)
  buffers.give(first.subarray(0, 9000))
  expect(buffers.take(10_001).buffer).not.toBe(first.buffer)
  expect(buffers.take(4999).buffer).not.toBe(first.buffer)
  const again = buffers.take(5000)
  expect(again.buffer).toBe(first.buffer)
  expect(again).toHaveLength(10_000)
  expect(buffers.take(5000).buffer).not.toBe(first.buffer)
})

test('small and very large buffers, and more than a few, are left to the garbage collector', () => {
  const buffers = new BufferPool()
  for (const bytes of [100, 3 * 1024 * 1024]) {
    const payload = new Uint8Array(bytes)
    buffers.give(payload)
    expect(buffers.take(bytes).buffer).not.toBe(payload.buffer)
  }
  const given = Array.from({ length: 20 }, () => new Uint8Array(8192))
  for (const payload of given) buffers.give(payload)
  const known = new Set(given.map(({ buffer }) => buffer))
  const taken = Array.from({ length: 20 }, () => buffers.take(8192).buffer)
  expect(taken.filter((buffer) => known.has(buffer as ArrayBuffer))).toHaveLength(16)
})
