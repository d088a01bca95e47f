import { systemEnv } from '@firn/env'
import { afterEach, beforeEach, describe } from 'vitest'
import { appendingTests } from './internal/conformance/appending.js'
import { type LeasesSubject, leasesTests } from './internal/conformance/leases.js'
import { sharingTests } from './internal/conformance/sharing.js'
import {
  type CommitLogSubject,
  type ConformanceOptions,
  LogFixture,
} from './internal/conformance/subject.js'

export type { CommitLogSubject, ConformanceOptions, LeasesSubject }

/**
 * The requirements of every commit log, as a vitest suite. `make` returns an empty log for each
 * test.
 *
 * ```ts
 * commitLogConformance('memory', async () => {
 *   const storage = new MemoryLogStorage()
 *   return { open: async () => new MemoryCommitLog({ storage }), dispose: async () => {} }
 * })
 * ```
 */
export function commitLogConformance(
  name: string,
  make: () => Promise<CommitLogSubject>,
  options: ConformanceOptions = {},
): void {
  describe(`commit log: ${name}`, () => {
    let current: LogFixture | undefined
    const fixture = () => current as LogFixture
    beforeEach(async () => {
      current = new LogFixture(await make(), options.env ?? systemEnv)
    })
    afterEach(() => fixture().dispose())
    appendingTests(fixture)
    sharingTests(fixture)
  })
}

/**
 * The requirements of all leases, as a vitest suite. `make` returns storage without
 * leases for each test; the clocks are the suite's.
 *
 * ```ts
 * leasesConformance('memory', async () => {
 *   const storage = new MemoryLeaseStorage()
 *   return { open: async (env) => new MemoryLeases({ storage, env }), dispose: async () => {} }
 * })
 * ```
 */
export function leasesConformance(name: string, make: () => Promise<LeasesSubject>): void {
  describe(`leases: ${name}`, () => {
    let current: LeasesSubject | undefined
    beforeEach(async () => {
      current = await make()
    })
    afterEach(() => current?.dispose())
    leasesTests((env) => (current as LeasesSubject).open(env))
  })
}
