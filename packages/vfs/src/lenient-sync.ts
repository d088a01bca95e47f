import { cannotSyncDirectory, codeOf } from './system-errors.js'

/**
 * A sync of directories that takes a file system as it is if it can't sync any: names are as
 * durable there as it makes them by itself. `onWarning` is told so, once, and no other directory is
 * synced. Any other failure of a sync is one.
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
