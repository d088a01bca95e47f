import { MemoryObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { tempDirectory } from '@firn/test-support'
import { type CommitLogSubject, commitLogConformance } from '../src/conformance.js'
import { FileCommitLog } from '../src/file.js'
import {
  logEntryKey,
  MemoryCommitLog,
  MemoryLogStorage,
  ObjectCommitLog,
  SpillingCommitLog,
} from '../src/index.js'
import { INCARNATION } from './fixtures.js'

commitLogConformance('memory, shared', async () => {
  const storage = new MemoryLogStorage()
  return { open: async () => new MemoryCommitLog({ storage }), dispose: async () => {} }
})

commitLogConformance('memory, exclusive', async () => {
  const storage = new MemoryLogStorage()
  return {
    open: async () => new MemoryCommitLog({ storage, exclusive: true }),
    dispose: async () => {},
  }
})

commitLogConformance('file', () => fileSubject({}))
commitLogConformance('file, tiny segments', () => fileSubject({ segmentBytes: 4096 }))

commitLogConformance('objects in memory', async () => {
  const store = new MemoryObjectStore()
  return {
    open: async () => new ObjectCommitLog(store, INCARNATION),
    loseEntry: (version) => store.delete(logEntryKey(INCARNATION, version)),
    dispose: () => store.close(),
  }
})

commitLogConformance('objects in memory, long payloads spilled', async () => {
  const store = new MemoryObjectStore()
  return {
    open: async () => {
      const log = new ObjectCommitLog(store, INCARNATION)
      return new SpillingCommitLog(log, store, INCARNATION, { itemLimitBytes: 17 })
    },
    loseEntry: (version) => store.delete(logEntryKey(INCARNATION, version)),
    dispose: () => store.close(),
  }
})

commitLogConformance('objects in files', async () => {
  const store = new FsObjectStore(tempDirectory())
  return {
    open: async () => new ObjectCommitLog(store, INCARNATION),
    loseEntry: (version) => store.delete(logEntryKey(INCARNATION, version)),
    dispose: () => store.close(),
  }
})

async function fileSubject(options: { segmentBytes?: number }): Promise<CommitLogSubject> {
  const directory = tempDirectory()
  return {
    open: () => FileCommitLog.open(directory, options),
    dispose: async () => {},
  }
}
