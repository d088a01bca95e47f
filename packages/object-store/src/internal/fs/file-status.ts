import type { FileStatus } from '@firn/vfs'
import type { ObjectInfo } from '../../object-store.js'

/** What a file says of its object. */
export function infoOf(key: string, status: FileStatus): ObjectInfo {
  return { key, size: Number(status.size), etag: etagOf(status) }
}

/** See FORMAT.md. */
export function etagOf({ ino, mtimeNs, size }: FileStatus): string {
  return `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`
}
