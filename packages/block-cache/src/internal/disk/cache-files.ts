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

/** Up to so many bytes, memory for a file is taken before its size is known. */
const MAX_TRUSTED_BYTES: number = 1024 * 1024

export const nodeCacheFiles: CacheFiles = {
  list: (directory) => readdir(directory),
  makeDirectory: async (directory) => {
    await mkdir(directory, { recursive: true })
  },
  async read(path, length) {
    const file = await open(path, 'r')
    try {
      // A name may say much more than there is; for the usual few KiB it isn't worth a call.
      const most = length > MAX_TRUSTED_BYTES ? (await file.stat()).size : length
      const bytes = new Uint8Array(Math.min(length, most))
      let at = 0
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, at)
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
