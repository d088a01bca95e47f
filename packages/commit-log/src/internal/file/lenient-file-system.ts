import { cannotSyncDirectory } from '@firn/vfs'
import type { FileSystem } from './file-system.js'
import { reasonOf } from './system-error.js'

/**
 * The same file system, except that one which can't sync directories is taken as it is: names are
 * as durable there as it makes them by itself. `onWarning` is told so, once. Any other failure of a
 * sync is one.
 */
export function withLenientDirectories(
  fs: FileSystem,
  onWarning: ((message: string, error: unknown) => void) | undefined,
): FileSystem {
  let canSync = true
  return {
    list: (directory) => fs.list(directory),
    makeDirectory: (path) => fs.makeDirectory(path),
    read: (path, start, end) => fs.read(path, start, end),
    readAsync: (path, start, end) => fs.readAsync(path, start, end),
    open: (path, options) => fs.open(path, options),
    create: (path, content) => fs.create(path, content),
    link: (from, to) => fs.link(from, to),
    rename: (from, to) => fs.rename(from, to),
    remove: (path) => fs.remove(path),
    pin: (directory) => fs.pin(directory),
    announce: (directory, name, options) => fs.announce(directory, name, options),
    livenessOf: (directory, owner) => fs.livenessOf(directory, owner),
    isThisProcess: (owner) => fs.isThisProcess(owner),
    async syncDirectory(path) {
      if (!canSync) return
      try {
        await fs.syncDirectory(path)
      } catch (error) {
        if (!cannotSyncDirectory(error)) throw error
        if (canSync) {
          onWarning?.(
            `the file system of ${path} can't sync directories (${reasonOf(error)}): files are synced, but after a crash of the machine the newest ones may have lost their names`,
            error,
          )
        }
        canSync = false
      }
    },
  }
}
