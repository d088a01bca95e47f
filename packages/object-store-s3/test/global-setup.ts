import { findS3, HOW_TO_GET_S3, type LocalS3, startS3 } from '@firn/local-services'
import type { TestProject } from 'vitest/node'

/** The server, as provided to the tests. */
export type Service = Omit<LocalS3, 'stop'>

declare module 'vitest' {
  interface ProvidedContext {
    s3: Service | undefined
  }
}

/**
 * Starts one server for all tests. If none can be started, tests that need it are skipped, unless
 * FIRN_TEST_SERVICES is 'required' as in CI.
 */
export default async function setup(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  if (findS3() === undefined) {
    const missing = `object-store-s3: no S3 server to test with; ${HOW_TO_GET_S3}`
    if (process.env['FIRN_TEST_SERVICES'] === 'required') throw new Error(missing)
    console.warn(`${missing}. The tests that need one are skipped.`)
    project.provide('s3', undefined)
    return undefined
  }
  const { stop, ...service } = await startS3()
  project.provide('s3', service)
  return stop
}
