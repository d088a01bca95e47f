import type { ObjectInfo } from '../../object-store.js'
import type { FileStatus } from './file-system.js'
import { codeOf } from './fs-errors.js'

/** What a file says of its object. */
export function infoOf(key: string, status: FileStatus): ObjectInfo {
  return { key, size: Number(status.size), etag: etagOf(status) }
}

/** See FORMAT.md. */
export function etagOf({ ino, mtimeNs, size }: FileStatus): string {
  return `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`
}

/** Whether an error says that there is no such file. */
export function meansMissing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}
