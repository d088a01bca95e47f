/** What file systems say that can't sync a directory, or open one to do so. */
const CANNOT_SYNC: ReadonlySet<unknown> = new Set([
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EBADF',
  'EISDIR',
  'EPERM',
])

/**
 * Whether an error of a directory's sync says that the file system can't sync directories at all.
 * Any other error is a failed sync.
 */
export function cannotSyncDirectory(error: unknown): boolean {
  return CANNOT_SYNC.has((error as { code?: unknown } | null | undefined)?.code)
}
