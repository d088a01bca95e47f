import type { PinnedDirectory } from '@firn/vfs'
import { LogFailedError } from '../../errors.js'
import type { FileSystem } from './file-system.js'

/**
 * The calls of a log in a directory that is pinned. A call that finds a file by its path throws
 * `LogFailedError` if that path leads to another directory by now, or to none: nothing is ever
 * written into, or read from, another database that took the name. What is open goes on.
 * `isOpening`: the lock has just made sure.
 */
export function pinnedFileSystem(
  fs: FileSystem,
  directory: string,
  pinned: PinnedDirectory,
  isOpening: () => boolean,
): FileSystem {
  const inPlace = (): FileSystem => {
    if (!isOpening() && !pinned.isInPlace()) throw movedError(directory)
    return fs
  }
  return {
    list: (path) => inPlace().list(path),
    makeDirectory: (path) => inPlace().makeDirectory(path),
    read: (path, start, end) => inPlace().read(path, start, end),
    readAsync: async (path, start, end) => inPlace().readAsync(path, start, end),
    open: (path, options) => inPlace().open(path, options),
    create: (path, content) => inPlace().create(path, content),
    link: (from, to) => inPlace().link(from, to),
    rename: (from, to) => inPlace().rename(from, to),
    remove: (path) => inPlace().remove(path),
    syncDirectory: async (path) => inPlace().syncDirectory(path),
    pin: (path) => fs.pin(path),
    announce: (path, name, options) => fs.announce(path, name, options),
    livenessOf: (path, owner) => fs.livenessOf(path, owner),
    isThisProcess: (owner) => fs.isThisProcess(owner),
  }
}

/** What a log says whose directory was moved away under it. */
export function movedError(directory: string): LogFailedError {
  return new LogFailedError(
    `${directory} was renamed, removed or replaced while it was open. Nothing is written there any more; what was acknowledged is in the directory that was opened: close this database, and open it where it is now`,
    undefined,
  )
}
