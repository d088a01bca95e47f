import { systemEnv, ulid } from '@firn/env'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { FaultyObjectStore, plannedFaults } from '@firn/object-store/testing'
import { expect, test } from 'vitest'
import {
  appendSettled,
  type CommitLog,
  MemoryCommitLog,
  MemoryLogStorage,
  type NewLogEntry,
  ObjectCommitLog,
  SpillingCommitLog,
} from '../src/index.js'

// A commit whose request arrived twice meets its own entry. Trouble with reading it must not become
// an error that says that nothing was committed.

function entry(): NewLogEntry {
  return {
    version: 1,
    timestamp: 1,
    token: ulid(systemEnv),
    payload: new TextEncoder().encode('a payload of some length'),
  }
}

/** Answers every append as a second delivery of it would be. */
function deliveredTwice(log: CommitLog): CommitLog {
  return new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (name !== 'append') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<CommitLog['append']>) => {
        await target.append(...args)
        return target.append(...args)
      }
    },
  })
}

test('a commit is not reported as failed when its own entry is damaged on the way back', async () => {
  const incarnation = ulid(systemEnv)
  const store = new MemoryObjectStore()
  const faulty = new FaultyObjectStore(
    store,
    plannedFaults({ operation: 'get', kind: 'short-reply', times: 4 }),
  )
  const log = deliveredTwice(new ObjectCommitLog(faulty, incarnation))
  expect(await appendSettled(log, entry())).toEqual({ appended: true })
  expect(faulty.counts['short-reply']).toBe(4)
})

test('an entry that is damaged on its way is asked for once more', async () => {
  const incarnation = ulid(systemEnv)
  const store = new MemoryObjectStore()
  const written = entry()
  await new ObjectCommitLog(store, incarnation).append(written)
  const faulty = new FaultyObjectStore(store, plannedFaults({ operation: 'get', kind: 'bit-flip' }))
  const entries = new ObjectCommitLog(faulty, incarnation).readAfter(0, { limit: 1 })
  const read = []
  for await (const { token } of entries) read.push(token)
  expect(read).toEqual([written.token])
})

test('a spilled commit is not reported as failed when its own payload can’t be read back', async () => {
  const storage = new MemoryLogStorage()
  const unreadable: ObjectStore = new FaultyObjectStore(
    new MemoryObjectStore(),
    plannedFaults({ operation: 'get', kind: 'error-before', times: 100 }),
  )
  const inner = deliveredTwice(new MemoryCommitLog({ storage }))
  const log = new SpillingCommitLog(inner, unreadable, ulid(systemEnv), { itemLimitBytes: 17 })
  expect(await appendSettled(log, entry())).toEqual({ appended: true })
})
