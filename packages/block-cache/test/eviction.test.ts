import { describe, expect, test } from 'vitest'
import { BlockCache } from '../src/index.js'
import { type Block, use } from './block.js'

describe('eviction', () => {
  test('keeps a hot set through a scan of ten times the budget', async () => {
    const cache = new BlockCache({ bytes: 1000 * 100 })
    const hot = cache.file<Block>('hot')
    const scanned = cache.file<Block>('scanned')
    for (let round = 0; round < 4; round++) {
      for (let slot = 0; slot < 600; slot++) await use(hot, slot, 100)
    }
    for (let slot = 0; slot < 10_000; slot++) await use(scanned, slot, 100)
    let kept = 0
    for (let slot = 0; slot < 600; slot++) if (hot.has(slot)) kept++
    expect(kept).toBe(600)
  })

  test('keeps the hot part of a skewed load better than first-in-first-out would', async () => {
    const cache = new BlockCache({ bytes: 200 * 100 })
    const file = cache.file<Block>('skewed')
    const fifo: number[] = []
    let state = 1
    let hits = 0
    let fifoHits = 0
    for (let i = 0; i < 40_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const slot = Math.floor((state / 2 ** 32) ** 4 * 4000)
      if ((await use(file, slot, 100)) === 'hit') hits++
      if (fifo.includes(slot)) fifoHits++
      else if (fifo.push(slot) > 200) fifo.shift()
    }
    expect(hits).toBeGreaterThan(fifoHits * 1.05)
  })

  test('takes a block that comes back soon after its eviction straight into the main queue', async () => {
    const cache = new BlockCache({ bytes: 100 * 100 })
    const file = cache.file<Block>('file')
    for (let slot = 0; slot < 100; slot++) await use(file, slot, 100)
    await use(file, 100, 100)
    expect(file.has(0)).toBe(false)
    await use(file, 0, 100)
    // A scan of three times the budget goes through the small queue and leaves slot 0 alone.
    for (let slot = 200; slot < 500; slot++) await use(file, slot, 100)
    expect(file.has(0)).toBe(true)
  })

  test('forgets who was evicted long ago', async () => {
    const cache = new BlockCache({ bytes: 100 * 100 })
    const file = cache.file<Block>('file')
    for (let slot = 0; slot < 1000; slot++) await use(file, slot, 100)
    await use(file, 0, 100)
    for (let slot = 2000; slot < 2100; slot++) await use(file, slot, 100)
    expect(file.has(0)).toBe(false)
  })

  test('lets a once hot set go when another takes its place', async () => {
    const cache = new BlockCache({ bytes: 100 * 100 })
    const file = cache.file<Block>('file')
    for (let round = 0; round < 5; round++) {
      for (let slot = 0; slot < 80; slot++) await use(file, slot, 100)
    }
    for (let round = 0; round < 20; round++) {
      for (let slot = 100; slot < 180; slot++) await use(file, slot, 100)
    }
    let hits = 0
    for (let slot = 100; slot < 180; slot++) if (file.has(slot)) hits++
    expect(hits).toBeGreaterThan(60)
  })

  test('keeps a newcomer of more than the small queue may hold, at the cost of unused blocks', async () => {
    const cache = new BlockCache({ bytes: 1000 })
    const file = cache.file<Block>('file')
    for (let slot = 0; slot < 10; slot++) {
      await use(file, slot, 100)
      file.peek(slot)
    }
    await use(file, 20, 300)
    expect(file.has(20)).toBe(true)
    expect(cache.usedBytes).toBeLessThanOrEqual(1000)
  })
})
