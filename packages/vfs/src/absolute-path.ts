import { resolve } from 'node:path'
import { InvalidArgumentError } from '@firn/env'

/**
 * A path from the working directory of this moment on, or from `from`: `process.chdir` doesn't
 * change what it means. `what` is what messages call it, as "the directory of a store".
 *
 * Throws `InvalidArgumentError` for what is no path, for a `~` that a shell should have replaced,
 * and for a relative path if the working directory is gone.
 */
export function absolutePath(path: string, what: string, from?: string): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new InvalidArgumentError(
      `${what} must be a path: text that isn't empty and has no NUL character`,
    )
  }
  if (/^~(?:[/\\]|$)/.test(path)) {
    throw new InvalidArgumentError(
      `${what} begins with '~', which only a shell replaces: write the path out, or use os.homedir(). A directory of that name is './~'`,
    )
  }
  try {
    return from === undefined ? resolve(path) : resolve(from, path)
  } catch (error) {
    throw new InvalidArgumentError(
      `${what} is a relative path, but the working directory of this process is gone; give an absolute path`,
      { cause: error },
    )
  }
}
