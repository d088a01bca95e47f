import { InvalidArgumentError } from '@firn/env'
import { describe, expect, test } from 'vitest'
import { BlockCache, type CachedFile } from '../src/index.js'
import { type Block, block } from './block.js'

function open(bytes = 1000): CachedFile<Block> {
  return new BlockCache({ bytes }).file<Block>('file')
}

/** A loader that waits for the test, and says how it was called. */
function gate() {
  const calls: (AbortSignal | undefined)[] = []
  let finish: (value: Block) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const done = new Promise<Block>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  const loader = (signal?: AbortSignal) => {
    calls.push(signal)
    return done
  }
  return { calls, loader, finish, fail }
}

describe('single flight', () => {
  test('shares one load among all who ask while it runs', async () => {
    const file = open()
    const { calls, loader, finish } = gate()
    const waiting = [1, 2, 3].map(() => file.load(0, loader))
    const value = block('a', 10)
    finish(value)
    expect(await Promise.all(waiting)).toEqual([value, value, value])
    expect(calls.length).toBe(1)
    expect(file.peek(0)).toBe(value)
  })

  test('rejects all who wait for a load that fails, and loads again for the next', async () => {
    const file = open()
    const { loader, fail } = gate()
    const waiting = [file.load(0, loader), file.load(0, loader)]
    fail(new Error('no answer'))
    for (const result of await Promise.allSettled(waiting)) expect(result.status).toBe('rejected')
    expect(await file.load(0, async () => block('b', 10))).toEqual(block('b', 10))
  })

  test('does not keep the failure of a loader that throws before its first await', async () => {
    const file = open()
    const broken = file.load(0, () => {
      throw new Error('at once')
    })
    await expect(broken).rejects.toThrow('at once')
    expect((await file.load(0, async () => block('c', 1))).name).toBe('c')
  })

  test('42: rejects only the caller that aborts', async () => {
    const file = open()
    const { calls, loader, finish } = gate()
    const first = new AbortController()
    const second = new AbortController()
    const aborted = file.load(0, loader, { signal: first.signal })
    const patient = file.load(0, loader, { signal: second.signal })
    first.abort(new Error('changed my mind'))
    await expect(aborted).rejects.toThrow('changed my mind')
    expect(calls[0]?.aborted).toBe(false)
    finish(block('a', 10))
    expect((await patient).name).toBe('a')
    expect(file.has(0)).toBe(true)
  })

  test('aborts the load when its last caller aborts, and starts anew for the next one', async () => {
    const file = open()
    const { calls, loader, finish } = gate()
    const first = new AbortController()
    const second = new AbortController()
    const waiting = [
      file.load(0, loader, { signal: first.signal }),
      file.load(0, loader, { signal: second.signal }),
    ]
    await Promise.resolve()
    first.abort(new Error('one'))
    second.abort(new Error('two'))
    for (const result of await Promise.allSettled(waiting)) expect(result.status).toBe('rejected')
    expect(calls[0]?.reason).toEqual(new Error('two'))
    const fresh = file.load(0, async () => block('fresh', 10))
    finish(block('late', 10))
    expect((await fresh).name).toBe('fresh')
    expect(file.peek(0)?.name).toBe('fresh')
  })

  test('goes on for a caller without a signal, whoever else aborts', async () => {
    const file = open()
    const { calls, loader, finish } = gate()
    const controller = new AbortController()
    const aborted = file.load(0, loader, { signal: controller.signal })
    const patient = file.load(0, loader)
    controller.abort(new Error('gone'))
    await expect(aborted).rejects.toThrow('gone')
    expect(calls[0]?.aborted).toBe(false)
    finish(block('a', 10))
    expect((await patient).name).toBe('a')
  })

  test('does not start for a caller that is aborted already', async () => {
    const { calls, loader } = gate()
    const signal = AbortSignal.abort(new Error('before'))
    await expect(open().load(0, loader, { signal })).rejects.toThrow('before')
    expect(calls.length).toBe(0)
  })

  test('keeps what was read through out of the cache, unless a caller wants it there', async () => {
    const file = open()
    await file.load(0, async () => block('through', 10), { fill: false })
    expect(file.has(0)).toBe(false)
    const { loader, finish } = gate()
    const both = [file.load(1, loader, { fill: false }), file.load(1, loader)]
    finish(block('wanted', 10))
    await Promise.all(both)
    expect(file.has(1)).toBe(true)
  })

  test('leaves nothing of a load that was evicted while it ran', async () => {
    const file = open()
    const { loader, finish } = gate()
    const running = file.load(0, loader)
    file.evict(0)
    finish(block('damaged', 10))
    await running
    expect(file.has(0)).toBe(false)
  })

  test('refuses slots that are no array index, and values that weigh nothing sensible', async () => {
    const file = open()
    for (const slot of [-1, 1.5, Number.NaN, 2 ** 26]) {
      await expect(file.load(slot, async () => block('x', 1))).rejects.toThrow(InvalidArgumentError)
    }
    await expect(file.load(0, async () => block('x', Number.NaN))).rejects.toThrow('memoryBytes')
  })
})
