import { type FileSystem, lenientSync, type PinnedDirectory, WrappedFileSystem } from '@firn/vfs'
import { LogFailedError } from '../../errors.js'

export interface LogFileSystemOptions {
  /** The directory of the database. */
  directory: string
  pinned: PinnedDirectory
  /** Whether the log is being opened: the lock has just checked the directory. */
  isOpening: () => boolean
  /** Called once if the file system can't sync directories. */
  onWarning: ((message: string, error: unknown) => void) | undefined
}

/**
 * A file system for a log in a pinned directory. A call that finds a file by its path throws
 * `LogFailedError` if that path now leads to another directory or to none, so that nothing is ever
 * written into, or read from, another database that took the name. Open files keep working.
 */
export class LogFileSystem extends WrappedFileSystem {
  readonly #options: LogFileSystemOptions
  readonly #sync: (directory: string) => Promise<void>

  constructor(inner: FileSystem, options: LogFileSystemOptions) {
    super(inner)
    this.#options = options
    this.#sync = lenientSync((path) => super.syncDirectory(path), options.onWarning)
  }

  override syncDirectory(path: string): Promise<void> {
    return this.#sync(path)
  }

  protected override before(): void {
    const { directory, pinned, isOpening } = this.#options
    if (!isOpening() && !pinned.isInPlace()) throw movedError(directory)
  }
}

/** The error of a log whose directory was moved away under it. */
export function movedError(directory: string): LogFailedError {
  return new LogFailedError(
    `${directory} was renamed, removed or replaced while it was open. Nothing is written there any more; what was acknowledged is in the directory that was opened: close this database, and open it where it is now`,
    undefined,
  )
}
