import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/**
 * A new, empty directory, removed after the test. Outside of tests: `tempDirectory(afterAll)`.
 */
export function tempDirectory(after: (remove: () => void) => void = onTestFinished): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'firn-test-'))
  after(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}
