import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { expect, test } from 'vitest'
import { open } from '../../src/index.js'

const TEXT = { keys: 'utf8', values: 'utf8' } as const

test('a read is not staler than maxStalenessMs when opening took longer than that', async () => {
  const storage = new MemoryLogStorage()
  const store = new MemoryObjectStore()
  await using writer = await open({ store, log: () => new MemoryCommitLog({ storage }) })
  await writer.table('t', TEXT).put('k', 'before')
  const env = new TestEnv()
  // The log is read; then, before the database is open, time passes and others commit.
  class SlowToEnd extends MemoryCommitLog {
    override async *readAfter(...args: Parameters<MemoryCommitLog['readAfter']>) {
      yield* super.readAfter(...args)
      if (env.monotonic() > 0) return
      await writer.table('t', TEXT).put('k', 'after')
      env.advance(500)
    }
  }
  await using reader = await open(
    { store, log: () => new SlowToEnd({ storage }) },
    { env, mode: 'read', maxStalenessMs: 100 },
  )
  expect(await reader.table('t', TEXT).get('k')).toBe('after')
})
