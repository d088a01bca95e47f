import { afterAll, beforeAll, describe } from 'vitest'
import type { ObjectStore } from '../../object-store.js'
import { abortingTests } from './aborting.js'
import { deletingTests } from './deleting.js'
import { listingTests } from './listing.js'
import { racingTests } from './racing.js'
import { readingTests } from './reading.js'
import { uploadingTests } from './uploading.js'
import { validatingTests } from './validating.js'
import { writingTests } from './writing.js'

/** A store to test, and what only its maker can do. */
export interface ConformanceSubject {
  store: ObjectStore
  /** Places an object by other means than `store.put`; needed where the store can't write. */
  seed?(key: string, bytes: Uint8Array): Promise<void>
  /**
   * Another handle on the same objects, for races. Default: `store` itself. The suite closes it.
   */
  another?(): ObjectStore | Promise<ObjectStore>
  /** Removes everything. Called after `store.close()`. */
  dispose?(): Promise<void>
}

export interface ConformanceOptions {
  /** Whether the store can write at all. Default true. */
  writes?: boolean
  /** Whether it can list. Default true. */
  lists?: boolean
  /** Whether `ifAbsent` holds under races, in `put`. Default true. */
  ifAbsent?: boolean
  /** Whether `ifMatch` holds under races, in `put`. Default true. */
  ifMatch?: boolean
  /** Whether `ifAbsent` holds in `upload`. Default true. */
  uploadIfAbsent?: boolean
  /** How often each race is run. Default 10. */
  rounds?: number
  /** How many take part in a race. Default 10. */
  racers?: number
  /**
   * How many objects the deletion of many deletes. Default 1,100: more than an S3 request takes.
   */
  manyObjects?: number
  /** Longest time one test may take. Default 60,000 ms. */
  timeoutMs?: number
}

/** What the parts of the suite get: the subject while it lives, keys of their own, the options. */
export interface Bench {
  readonly options: Required<ConformanceOptions>
  /** The store under test; only inside of tests. */
  readonly store: ObjectStore
  another(): Promise<ObjectStore>
  seed(key: string, bytes: Uint8Array): Promise<void>
  /** A key prefix that no other test uses, ending in '/'. */
  folder(): string
}

/**
 * Declares vitest tests that hold for every object store: call it in a test file. Each part works
 * in folders of its own, so that one store serves the whole suite.
 */
export function objectStoreConformance(
  name: string,
  make: () => ConformanceSubject | Promise<ConformanceSubject>,
  options: ConformanceOptions = {},
): void {
  const all: Required<ConformanceOptions> = {
    writes: true,
    lists: true,
    ifAbsent: true,
    ifMatch: true,
    uploadIfAbsent: true,
    rounds: 10,
    racers: 10,
    manyObjects: 1100,
    timeoutMs: 60_000,
    ...options,
  }
  describe(`${name} is an object store`, { timeout: all.timeoutMs }, () => {
    let subject: ConformanceSubject | undefined
    let folders = 0
    const made = (): ConformanceSubject => {
      if (subject === undefined) throw new Error('the store is there during tests only')
      return subject
    }
    const bench: Bench = {
      options: all,
      get store() {
        return made().store
      },
      another: async () => (await made().another?.()) ?? made().store,
      seed: async (key, bytes) => {
        const { store, seed } = made()
        if (seed === undefined) await store.put(key, bytes)
        else await seed(key, bytes)
      },
      folder: () => `conformance-${++folders}/`,
    }
    beforeAll(async () => {
      subject = await make()
    }, all.timeoutMs)
    afterAll(async () => {
      await subject?.store.close()
      await subject?.dispose?.()
    }, all.timeoutMs)

    readingTests(bench)
    validatingTests(bench)
    if (all.lists) listingTests(bench)
    if (all.writes) {
      writingTests(bench)
      deletingTests(bench)
      uploadingTests(bench)
      racingTests(bench)
    }
    abortingTests(bench)
  })
}
