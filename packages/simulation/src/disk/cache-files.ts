import type { DatabaseParts } from '@firn/engine'
import type { DiskNode } from './disk.js'
import type { DiskUser } from './disk-user.js'
import { SimFile } from './sim-file.js'
import { systemError } from './system-error.js'

export type CacheFiles = NonNullable<DatabaseParts['cacheFiles']>

/** Makes the system calls of a disk cache on a simulated disk. */
export function cacheFiles(user: DiskUser): CacheFiles {
  const { disk } = user
  const removeAll = (path: string, node: DiskNode): void => {
    if (node instanceof SimFile) disk.unlink(path)
    else {
      for (const [name, below] of [...node.entries]) removeAll(`${path}/${name}`, below)
      disk.removeDirectory(path)
    }
  }
  return {
    list: (path) =>
      user.later('list', path, () => () => [...disk.directory(path, 'scandir').entries.keys()]),
    makeDirectory: (path) =>
      user.later('make directory', path, () => {
        const names = path.split('/').slice(1)
        for (let depth = 1; depth <= names.length; depth++) {
          const above = `/${names.slice(0, depth).join('/')}`
          if (disk.find(above) === undefined) disk.makeDirectory(above)
        }
        return () => {}
      }),
    async read(path, length) {
      const bytes = new Uint8Array(length)
      const found = await user.read(disk.file(path, 'open'), path, bytes, 0)
      return bytes.subarray(0, found)
    },
    async write(path, pieces) {
      const file = await user.later('create', path, () => {
        const created = disk.createFile(path)
        return () => created
      })
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
      const written = await user.write(file, path, pieces, 0, { durable: false })
      if (written < bytes) throw systemError('ENOSPC', 'write', path)
    },
    rename: (from, to) =>
      user.later('rename', to, () => {
        disk.rename(from, to)
        return () => {}
      }),
    remove: (path) =>
      user.later('remove', path, () => {
        const node = disk.find(path)
        if (node !== undefined) removeAll(path, node)
        return () => {}
      }),
  }
}
