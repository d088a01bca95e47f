import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** Creates a directory for a test, and removes it after the test. */
export function tempDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'firn-manifest-'))
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}
