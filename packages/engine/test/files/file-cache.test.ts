import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { expect, test } from 'vitest'
import { open } from '../../src/index.js'
import { overriding } from '../support/overriding.js'

const MOST_READS = 5000

/** A store that answers at once, and gives up on who asks for ever. */
function impatient(store: ObjectStore): ObjectStore {
  let reads = 0
  return overriding(store, {
    get: (key, options) => {
      if (++reads > MOST_READS) return Promise.reject(new Error('there is no end to it'))
      return store.get(key, options)
    },
  })
}

test('reads of several files come to an end where no memory keeps a file open', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const log = () => new MemoryCommitLog({ storage, exclusive: true })
  const shape = {
    compaction: 'off',
    cache: { memoryBytes: 0 },
    tuning: { inlineLimitBytes: 0 },
  } as const
  const typed = { keys: 'utf8', values: 'utf8' } as const
  const writer = await open({ store, log }, shape)
  for (let file = 0; file < 8; file++) {
    const batch = writer.batch()
    for (let i = 0; i < 5; i++) batch.put(writer.table('t', typed), `key ${i * 8 + file}`, 'x')
    await batch.write()
  }
  await writer.close()
  for (let files = 2; files <= 8; files++) {
    await using db = await open({ store: impatient(store), log }, { ...shape, mode: 'read' })
    const keys = Array.from({ length: files }, (_, i) => `key ${i}`)
    const values = await db.table('t', typed).getMany(keys)
    expect(values).toEqual(keys.map(() => 'x'))
  }
})
