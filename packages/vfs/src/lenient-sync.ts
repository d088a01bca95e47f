import { cannotSyncDirectory, codeOf } from './system-errors.js'

/**
 * A sync of directories that accepts a file system which can't sync any: names are then as durable
 * as the file system makes them by itself. It calls `onWarning` once, and syncs no further
 * directory. Any other failed sync still fails.
 */
export function lenientSync(
  sync: (directory: string) => Promise<void>,
  onWarning: ((message: string, error: unknown) => void) | undefined,
): (directory: string) => Promise<void> {
  let canSync = true
  return async (directory) => {
    if (!canSync) return
    try {
      await sync(directory)
    } catch (error) {
      if (!cannotSyncDirectory(error)) throw error
      if (canSync) {
        onWarning?.(
          `the file system of ${directory} can't sync directories (${codeOf(error)}): files are synced, but after a crash of the machine the newest ones may have lost their names`,
          error,
        )
      }
      canSync = false
    }
  }
}
