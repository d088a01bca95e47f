import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskCache } from '@firn/block-cache/disk'
import { memorySource, type SourceReadOptions, type SstSource } from '@firn/sst'
import { LONG, tempDirectory } from '@firn/test-support'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CHUNK_BYTES, DiskTier } from '../../src/internal/files/disk-tier.js'
import { TieredSource } from '../../src/internal/files/tiered-source.js'

const INCARNATION = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
const ID = '12-01BX5ZZKBKACTAV9WEVGEMMVRZ'
const SIZE = 5 * CHUNK_BYTES + 12_345
const FILE = Uint8Array.from({ length: SIZE }, (_, i) => (i * 2654435761) >>> 24)

let directory: string
const tiers: DiskTier[] = []
beforeEach(() => {
  directory = tempDirectory()
})
afterEach(async () => {
  for (const disk of tiers.splice(0)) await disk.close()
})

/** The file, by requests that are counted and can be held up, cut short or refused. */
class StoredFile implements SstSource {
  requests = 0
  aborted = 0
  /** What comes of the next replies; right ones when there are no more. */
  readonly faults: ('short' | 'flipped' | 'refused')[] = []
  #gate: Promise<void> | undefined
  readonly #source = memorySource(FILE)

  /** Holds replies back until the function that it returns is called. */
  hold(): () => void {
    let open = (): void => {}
    this.#gate = new Promise((resolve) => {
      open = resolve
    })
    return open
  }

  async read(...[offset, length, options]: Parameters<SstSource['read']>): Promise<Uint8Array> {
    return this.#reply(await this.#source.read(offset, length), options)
  }

  async readTail(
    ...[length, options]: Parameters<SstSource['readTail']>
  ): Promise<{ bytes: Uint8Array; size: number }> {
    const { bytes } = await this.#source.readTail(length)
    return { bytes: await this.#reply(bytes, options), size: SIZE }
  }

  async #reply(bytes: Uint8Array, options: SourceReadOptions = {}): Promise<Uint8Array> {
    this.requests++
    const fault = this.faults.shift()
    options.signal?.addEventListener('abort', () => this.aborted++)
    await this.#gate
    options.signal?.throwIfAborted()
    if (fault === 'refused') throw new Error('refused')
    if (fault === 'flipped') bytes[0] = (bytes[0] ?? 0) ^ 1
    return fault === 'short' ? bytes.subarray(0, bytes.length - 1) : bytes
  }
}

function tier(bytes = 10_000_000, home = directory, incarnation = INCARNATION): DiskTier {
  const disk = new DiskTier(new DiskCache({ directory: home, bytes }), incarnation)
  tiers.push(disk)
  return disk
}

function over(stored: SstSource, disk: DiskTier, isLive = () => true): TieredSource {
  return new TieredSource(stored, disk, { id: ID, bytes: SIZE }, isLive)
}

const part = (offset: number, length: number) => FILE.slice(offset, offset + length)

/** As `toEqual`, which takes seconds for arrays that are long. */
function expectPart(bytes: Uint8Array, offset: number, length: number): void {
  expect(Buffer.compare(bytes, part(offset, length))).toBe(0)
}

/**
 * Flips a bit of one of the disk's entries, whatever is being done with it; the first bytes: cuts
 * it.
 */
async function damage(home: string, entry: number, at: number): Promise<void> {
  try {
    const paths = (await readdir(home, { recursive: true })).filter((name) => name.includes('/'))
    const path = join(home, paths[entry % Math.max(1, paths.length)] ?? '')
    if (at < 100) await truncate(path, at)
    else {
      const bytes = await readFile(path)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      await writeFile(path, bytes, { flag: 'r+' })
    }
  } catch {
    // There is none, or it was removed meanwhile, with its directory or alone.
  }
}

describe('a read through the disk', () => {
  test('costs one request wherever it lies, then none; neighbours and the tail share chunks', async () => {
    const stored = new StoredFile()
    const disk = tier()
    const source = over(stored, disk)
    const across = CHUNK_BYTES - 100
    expect(await source.read(across, 8192)).toEqual(part(across, 8192))
    expect(stored.requests).toBe(1)
    await disk.settled()
    for (const [offset, length] of [
      [across, 8192],
      [0, 5],
      [2 * CHUNK_BYTES - 1, 1],
      [7, 2 * CHUNK_BYTES - 7],
    ] as const) {
      expectPart(await source.read(offset, length), offset, length)
    }
    expect(stored.requests).toBe(1)
    const tail = await source.readTail(CHUNK_BYTES)
    expectPart(tail.bytes, SIZE - CHUNK_BYTES, CHUNK_BYTES)
    expect(tail.size).toBe(SIZE)
    expect(stored.requests).toBe(2)
    await disk.settled()
    expect(await source.read(4 * CHUNK_BYTES, 10)).toEqual(part(4 * CHUNK_BYTES, 10))
    expect(stored.requests).toBe(2)
    // Chunks 0, 1, 4 and 5 are there: one request for the two between.
    expectPart(await source.read(0, SIZE), 0, SIZE)
    expect(stored.requests).toBe(3)
    expectPart((await source.readTail(SIZE + 1000)).bytes, 0, SIZE)
    expect(stored.requests).toBe(3)
  })

  test('finds what is still on its way to the disk', async () => {
    const stored = new StoredFile()
    const source = over(stored, tier())
    for (let i = 0; i < 20; i++) {
      expect(await source.read(i * 100, 100)).toEqual(part(i * 100, 100))
    }
    expect(stored.requests).toBe(1)
  })

  test('is shared by all who come while it is under way, whatever blocks they want', async () => {
    const stored = new StoredFile()
    const source = over(stored, tier())
    const open = stored.hold()
    const reads = Array.from({ length: 20 }, (_, i) => source.read(i * 3000, 3000))
    open()
    expect(await Promise.all(reads)).toEqual(reads.map((_, i) => part(i * 3000, 3000)))
    expect(stored.requests).toBe(1)
  })

  test('a failure meets all waiting readers, and no later ones', async () => {
    const stored = new StoredFile()
    const source = over(stored, tier())
    stored.faults.push('refused')
    const reads = [source.read(0, 10), source.read(100, 10)]
    for (const read of reads) await expect(read).rejects.toThrow('refused')
    expect(await source.read(0, 10)).toEqual(part(0, 10))
    expect(stored.requests).toBe(2)
  })

  test('gives arrays that are the caller’s to change', async () => {
    const source = over(new StoredFile(), tier())
    const [one, other] = await Promise.all([source.read(0, 100), source.read(0, 100)])
    one.fill(1)
    expect(other).toEqual(part(0, 100))
    expect(await source.read(0, 100)).toEqual(part(0, 100))
  })
})

describe('26, 29: damage', () => {
  test('a fresh read asks the store and replaces what the disk has', async () => {
    const stored = new StoredFile()
    const disk = tier()
    stored.faults.push('flipped')
    expect(await over(stored, disk).read(0, 100)).not.toEqual(part(0, 100))
    await disk.settled()
    expect(await over(stored, disk).read(0, 100)).not.toEqual(part(0, 100))
    expect(stored.requests).toBe(1)
    expect(await over(stored, disk).read(50, 10, { fresh: true })).toEqual(part(50, 10))
    await disk.settled()
    expect(await over(stored, disk).read(0, 100)).toEqual(part(0, 100))
    expect(stored.requests).toBe(2)
  })

  test('a fresh read is not answered by a load under way, nor is one after it', async () => {
    const stored = new StoredFile()
    const disk = tier()
    const source = over(stored, disk)
    stored.faults.push('flipped')
    expect(await source.read(0, 100)).not.toEqual(part(0, 100))
    // The wrong bytes are on their way to the disk.
    expect(await source.read(0, 100, { fresh: true })).toEqual(part(0, 100))
    await disk.settled()
    expect(await source.read(0, 100)).toEqual(part(0, 100))
    expect(stored.requests).toBe(2)
  })

  test('a reply of the wrong length is not kept, and the question goes to the store as it is', async () => {
    const stored = new StoredFile()
    const disk = tier()
    stored.faults.push('short')
    expect(await over(stored, disk).read(200, 100)).toEqual(part(200, 100))
    expect(stored.requests).toBe(2)
    stored.faults.push('short', 'short')
    expect(await over(stored, disk).read(200, 100)).toEqual(part(200, 99))
    await disk.settled()
    expect(disk.stats().writes).toBe(0)
  })

  test('a file that is not as large as it should be looks as it does without a disk', async () => {
    const short = memorySource(FILE.subarray(0, SIZE - 20_000))
    const disk = tier()
    const source = over(short, disk)
    expect(await source.readTail(1000)).toEqual(await short.readTail(1000))
    expect(await source.read(SIZE - 100, 100)).toEqual(await short.read(SIZE - 100, 100))
    const left = SIZE - 20_000 - 500
    expect(await source.read(left, 500)).toEqual(part(left, 500))
    expect(await source.read(0, 500)).toEqual(part(0, 500))
    await disk.settled()
    expect(disk.stats().writes).toBe(1)
  })
})

describe('42: a signal', () => {
  test('rejects its read, while the load goes on for others', async () => {
    const stored = new StoredFile()
    const source = over(stored, tier())
    const open = stored.hold()
    const gone = new AbortController()
    const read = source.read(0, 100, { signal: gone.signal })
    const other = source.read(100, 100, { signal: new AbortController().signal })
    gone.abort('enough')
    await expect(read).rejects.toBe('enough')
    open()
    expect(await other).toEqual(part(100, 100))
    expect([stored.requests, stored.aborted]).toEqual([1, 0])
  })

  test('of the last one who waits ends the load, and the next read begins another', async () => {
    const stored = new StoredFile()
    const disk = tier()
    const source = over(stored, disk)
    const open = stored.hold()
    const [one, two] = [new AbortController(), new AbortController()]
    const reads = [
      source.read(0, 100, { signal: one.signal }),
      source.read(100, 100, { signal: two.signal }),
    ]
    // The disk is asked first.
    while (stored.requests === 0) await disk.get(ID, 0, 1)
    one.abort('one')
    await expect(reads[0]).rejects.toBe('one')
    expect(stored.aborted).toBe(0)
    two.abort('two')
    await expect(reads[1]).rejects.toBe('two')
    const next = source.read(0, 100)
    open()
    expect(await next).toEqual(part(0, 100))
    expect([stored.requests, stored.aborted]).toEqual([2, 1])
    await expect(source.read(0, 1, { signal: AbortSignal.abort('late') })).rejects.toBe('late')
  })
})

describe('what is kept', () => {
  test('stays for the next process, and for this file of this incarnation alone', async () => {
    const stored = new StoredFile()
    const before = tier()
    await over(stored, before).read(0, SIZE)
    await before.close()
    const after = tier()
    expectPart(await over(stored, after).read(0, SIZE), 0, SIZE)
    expect(stored.requests).toBe(1)
    const other = tier(10_000_000, directory, 'OTHER')
    expect(await other.get(ID, 0, 100)).toBeUndefined()
    expect(await after.get('13-01BX5ZZKBKACTAV9WEVGEMMVRZ', 0, 100)).toBeUndefined()
  })

  test('of a file that the database let go of is nothing, also of reads that come late', async () => {
    const disk = tier()
    let live = true
    const source = over(new StoredFile(), disk, () => live)
    await source.read(0, SIZE)
    live = false
    disk.evict(ID)
    await disk.settled()
    await source.read(0, 10, { fresh: true })
    await disk.settled()
    expect(disk.stats()).toMatchObject({ entries: 0, usedBytes: 0 })
  })

  test('is let go while too much is on its way to the disk', async () => {
    const disk = tier(100_000_000)
    const large = new Uint8Array(9 * 2 ** 20)
    const kept = disk.keep('A', new Map([[0, large]]), false)
    await disk.keep('B', new Map([[0, large]]), false)
    await kept
    await disk.keep('C', new Map([[0, large]]), false)
    expect(await disk.get('A', 0, 1)).toBeDefined()
    expect(await disk.get('B', 0, 1)).toBeUndefined()
    expect(await disk.get('C', 0, 1)).toBeDefined()
    await disk.keep('D', new Map([[0, new Uint8Array(20 * 2 ** 20)]]), false)
    expect(await disk.get('D', 0, 1)).toBeDefined()
  })
})

test('reads are those of the plain file, by at most a request each, whatever happens meanwhile', async () => {
  const place = fc.record({
    offset: fc.integer({ min: 0, max: SIZE - 1 }),
    length: fc.oneof(
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 3 * CHUNK_BYTES }),
    ),
  })
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('read' as const), place }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('fresh' as const), place }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('tail' as const), place }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), place }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('damage' as const),
        entry: fc.nat(),
        at: fc.nat({ max: CHUNK_BYTES }),
      }),
    },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.constantFrom(0, CHUNK_BYTES + 100, 3 * CHUNK_BYTES, 10_000_000),
      async (steps, bytes) => {
        const home = await mkdtemp(join(directory, 'run-'))
        const stored = new StoredFile()
        let disk = tier(bytes, home)
        let source = over(stored, disk)
        let reads = 0
        let under: Promise<void>[] = []
        const settle = async (): Promise<void> => {
          await Promise.all(under)
          under = []
          await disk.settled()
          expect(disk.stats().usedBytes).toBeLessThanOrEqual(bytes)
        }
        for (const now of steps) {
          if ('place' in now) {
            const { offset } = now.place
            const length = Math.min(now.place.length, SIZE - offset)
            reads++
            if (now.do === 'tail') {
              under.push(
                source.readTail(length).then((tail) => {
                  expectPart(tail.bytes, SIZE - length, length)
                  expect(tail.size).toBe(SIZE)
                }),
              )
            } else if (now.do === 'abort') {
              const controller = new AbortController()
              const read = source.read(offset, length, { signal: controller.signal })
              under.push(expect(read).rejects.toBe('enough'))
              controller.abort('enough')
            } else {
              const options = now.do === 'fresh' ? { fresh: true } : {}
              under.push(
                source.read(offset, length, options).then((read) => {
                  expectPart(read, offset, length)
                }),
              )
            }
          } else if (now.do === 'evict') disk.evict(ID)
          else if (now.do === 'clear') under.push(disk.clear())
          else if (now.do === 'damage') await damage(home, now.entry, now.at)
          else await settle()
          if (now.do === 'reopen') {
            await disk.close()
            disk = tier(bytes, home)
            source = over(stored, disk)
          }
        }
        await settle()
        expect(stored.requests).toBeLessThanOrEqual(reads)
        await disk.close()
        await rm(home, { recursive: true })
      },
    ),
    { numRuns: LONG ? 2000 : 100 },
  )
}, 120_000)
