import { InvalidArgumentError, systemEnv, ulid } from '@firn/env'
import { MemoryObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { MemoryCommitLog, ObjectCommitLog, ObjectLeases, SpillingCommitLog } from '../src/index.js'

const store = new MemoryObjectStore()

const MADE_WITH_ONE: Readonly<Record<string, (incarnation: string) => unknown>> = {
  ObjectCommitLog: (incarnation) => new ObjectCommitLog(store, incarnation),
  ObjectLeases: (incarnation) => new ObjectLeases(store, incarnation),
  SpillingCommitLog: (incarnation) =>
    new SpillingCommitLog(new MemoryCommitLog(), store, incarnation, { itemLimitBytes: 17 }),
}

describe('a database that is named as people name things', () => {
  for (const [name, make] of Object.entries(MADE_WITH_ONE)) {
    test(`is refused by ${name} with a word on how to make an id`, () => {
      for (const bad of ['my-database', '', ulid(systemEnv).toLowerCase()]) {
        expect(() => make(bad)).toThrow(InvalidArgumentError)
        expect(() => make(bad)).toThrow(/incarnation is a ULID.*ulid\(systemEnv\) of @firn\/env/)
      }
      make(ulid(systemEnv))
    })
  }
})
