import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** A new folder among the system's temporary ones. `remove` deletes it with its content. */
export interface TempFolder {
  readonly path: string
  remove(): void
}

export function tempFolder(name: string): TempFolder {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `firn-${name}-`))
  return { path: folder, remove: () => fs.rmSync(folder, { recursive: true, force: true }) }
}
