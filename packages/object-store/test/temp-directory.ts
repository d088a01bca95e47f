import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'

const made: string[] = []

afterAll(async () => {
  for (const directory of made.splice(0)) await fs.rm(directory, { recursive: true, force: true })
})

/** A new, empty directory that is removed after the tests of the file. */
export async function tempDirectory(): Promise<string> {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'firn-object-store-'))
  made.push(directory)
  return directory
}
