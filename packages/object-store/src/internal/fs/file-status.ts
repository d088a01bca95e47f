import type { FileStatus } from '@firn/vfs'
import type { ObjectInfo } from '../../object-store.js'

/** The object's facts that its file's status holds. */
export function infoOf(key: string, status: FileStatus): ObjectInfo {
  return { key, size: Number(status.size), etag: etagOf(status) }
}

/** The etag of an object's file, see FORMAT.md. */
export function etagOf({ ino, mtimeNs, size }: FileStatus): string {
  return `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`
}
