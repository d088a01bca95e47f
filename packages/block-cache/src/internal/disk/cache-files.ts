import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'

/** The calls that the disk cache makes, as a seam for faults. Each may reject with any error. */
export interface CacheFiles {
  /** Names of what a directory holds. */
  list(directory: string): Promise<string[]>
  makeDirectory(directory: string): Promise<void>
  /** The first `length` bytes of a file, or as many as there are. */
  read(path: string, length: number): Promise<Uint8Array>
  /** A new file, not necessarily durable. */
  write(path: string, pieces: readonly Uint8Array[]): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file or a directory with all that it holds; nothing there is no error. */
  remove(path: string): Promise<void>
}

export const nodeCacheFiles: CacheFiles = {
  list: (directory) => readdir(directory),
  makeDirectory: async (directory) => {
    await mkdir(directory, { recursive: true })
  },
  async read(path, length) {
    const file = await open(path, 'r')
    try {
      const bytes = new Uint8Array(length)
      let at = 0
      while (at < length) {
        const { bytesRead } = await file.read(bytes, at, length - at, at)
        if (bytesRead === 0) break
        at += bytesRead
      }
      return bytes.subarray(0, at)
    } finally {
      await file.close()
    }
  },
  write: (path, pieces) => writeFile(path, pieces, { flag: 'wx' }),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true }),
}
