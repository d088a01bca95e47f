import { open } from '@firn/engine'
import { expect, test } from 'vitest'
import { type StoredRange, snapshotPages } from '../src/snapshot-pages.js'
import { makeConsole } from './console.js'

const console = makeConsole()
const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const keyOf = (i: number) => `k${String(i).padStart(6, '0')}`

const ROWS = 4500

const ranges: [string, StoredRange, string[]][] = [
  ['all', {}, Array.from({ length: ROWS }, (_, i) => keyOf(i))],
  [
    'a prefix, backwards',
    { prefix: encode('k00'), reverse: true },
    Array.from({ length: ROWS }, (_, i) => keyOf(ROWS - 1 - i)),
  ],
  [
    'bounds and a limit',
    { gte: encode(keyOf(10)), lt: encode(keyOf(4400)), limit: 3000 },
    Array.from({ length: 3000 }, (_, i) => keyOf(10 + i)),
  ],
]

test.each(ranges)(
  'a reader goes on where a writer compacts its files away: %s',
  async (_, range, expected) => {
    const location = `file:${console.path('db')}`
    // Many small files, most of which the reader has not opened when they go.
    const tuning = { level0Trigger: 1, targetFileBytes: 16 * 1024, levelBaseBytes: 64 * 1024 }
    await using writer = await open(location, { compaction: 'inline', tuning })
    const table = writer.table('t')
    const rewrite = async (value: string) => {
      for (const half of [0, 1]) {
        const batch = writer.batch()
        for (let i = half; i < ROWS; i += 2)
          batch.put(table, encode(keyOf(i)), encode(`${value} ${i * 7919}`))
        await batch.write()
        await writer.compact()
      }
    }
    await rewrite('old')
    await using reader = await open(location, { mode: 'read', cache: { memoryBytes: 1 } })
    const [info] = await reader.tables()
    if (info === undefined) throw new Error('no table')
    const keys: string[] = []
    const values = new Set<string>()
    let pages = 0
    for await (const page of snapshotPages(reader, undefined, info, range)) {
      for (const [key, value] of page) {
        keys.push(decode(key))
        values.add(decode(value).split(' ')[0] ?? '')
      }
      if (pages++ < 2) await rewrite(`new ${pages}`)
    }
    expect(keys).toEqual(expected)
    expect([...values]).toEqual(['old'])
  },
)
