import { systemEnv } from '@firn/env'
import { afterEach, beforeEach, describe } from 'vitest'
import { appendingTests } from './internal/conformance/appending.js'
import { sharingTests } from './internal/conformance/sharing.js'
import {
  type CommitLogSubject,
  type ConformanceOptions,
  LogFixture,
} from './internal/conformance/subject.js'

export type { CommitLogSubject, ConformanceOptions }

/**
 * What every commit log must do, as a vitest suite. `make` gives an empty log for each test.
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
