import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from './clock.js'

const QUIET_MS = 600
const POLL_MS = 100
const SETTLE_LIMIT_MS = 30_000

interface FileSize {
  path: string
  /** What the file takes of the disk: its length, or less where it is sparse. */
  bytes: number
}

/** The bytes that a database directory takes of the disk. */
export async function diskBytes(directory: string): Promise<number> {
  let total = 0
  for (const file of await filesIn(directory)) total += file.bytes
  return total
}

/**
 * Waits until no file of the directory has come, gone or changed its size for a while: the flushes
 * and compactions that a fill left behind are done. Works the same for every peer.
 */
export async function settled(directory: string): Promise<void> {
  const start = monotonicMs()
  let since = start
  let seen = ''
  while (monotonicMs() - since < QUIET_MS && monotonicMs() - start < SETTLE_LIMIT_MS) {
    const now = (await filesIn(directory)).map((f) => `${f.path} ${f.bytes}`).join('\n')
    if (now !== seen) {
      seen = now
      since = monotonicMs()
    }
    await sleep(POLL_MS)
  }
}

async function filesIn(directory: string): Promise<FileSize[]> {
  const files: FileSize[] = []
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    try {
      const { size, blocks } = await stat(path)
      files.push({ path, bytes: Math.min(size, blocks * 512) })
    } catch (error) {
      // A compaction may remove a file between the listing and the look at it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}
