import fs from 'node:fs'

/** Removes a file if it is there. `rmSync` would load and run code for whole trees. */
export function remove(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
  }
}
