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

/** A store to test, with operations that only its implementer can provide. */
export interface ConformanceSubject {
  store: ObjectStore
  /** Stores an object without `store.put`. Required if the store can't write. */
  seed?(key: string, bytes: Uint8Array): Promise<void>
  /** Opens another handle on the same objects, for races. Default: `store`. The suite closes it. */
  another?(): ObjectStore | Promise<ObjectStore>
  /** Removes all objects. Called after `store.close()`. */
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
  /** How often to run each race. Default 10. */
  rounds?: number
  /** Number of writers in a race. Default 10. */
  racers?: number
  /**
   * Number of objects in the test that deletes many. Default 1,100: more than an S3 request takes.
   */
  manyObjects?: number
  /** Timeout of a test. Default 60,000 ms. */
  timeoutMs?: number
}

/** Shared by the parts of the suite: the store under test, fresh key prefixes, the options. */
export interface Bench {
  readonly options: Required<ConformanceOptions>
  /** The store under test; available only inside tests. */
  readonly store: ObjectStore
  another(): Promise<ObjectStore>
  seed(key: string, bytes: Uint8Array): Promise<void>
  /** A key prefix that no other test uses, ending in '/'. */
  folder(): string
}

/**
 * Declares the vitest tests that every object store must pass; call it in a test file. Each part
 * uses its own folders, so one store serves the whole suite.
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
      if (subject === undefined) throw new Error('the store is available only inside tests')
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
