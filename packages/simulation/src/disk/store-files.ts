import type { DirectoryEntry, FileStatus, FileSystem } from '@firn/object-store/fs'
import { type DiskNode, SimDirectory } from './disk.js'
import type { DiskUser } from './disk-user.js'
import { SimFile } from './sim-file.js'

/**
 * Makes the system calls of `FsObjectStore` on a simulated disk. `onRemove` is called just before a
 * file is removed.
 */
export function storeFiles(
  user: DiskUser,
  onRemove: (path: string) => void = () => {},
): FileSystem {
  const { disk, machine } = user
  const at = <T>(run: () => T) => {
    const value = run()
    return () => value
  }
  const open = (path: string): number => user.openNode(path, disk.get(path, 'open'))
  const setTimes = (node: DiskNode, seconds: number): void => {
    if (node instanceof SimFile) node.mtimeNs = BigInt(Math.round(seconds * 1e9))
  }
  return {
    open: (path, flags) =>
      flags === 'wx'
        ? user.later('create', path, () => at(() => user.openNode(path, disk.createFile(path))))
        : user.later('open', path, () => at(() => open(path))),
    close: (fd) => user.later('look up', pathOf(user, fd), () => at(() => user.close(fd))),
    read(fd, bytes, start, length, position) {
      const { path, file } = user.openedFile(fd, 'read')
      return user.read(file, path, bytes.subarray(start, start + length), position)
    },
    write(fd, bytes, start, position) {
      const { path, file } = user.openedFile(fd, 'write')
      return user.write(file, path, [bytes.subarray(start)], position, { durable: false })
    },
    fsync(fd) {
      const { path, node } = user.opened(fd, 'fsync')
      return node instanceof SimDirectory ? user.syncDirectory(path) : user.sync(node, path)
    },
    fstat(fd) {
      const { path, node } = user.opened(fd, 'fstat')
      return user.later('look up', path, () => () => statusOf(node))
    },
    lstat: (path) => user.later('look up', path, () => () => statusOf(disk.get(path, 'lstat'))),
    link: (from, to) => user.later('link', to, () => at(() => disk.link(from, to))),
    rename: (from, to) => user.later('rename', to, () => at(() => disk.rename(from, to))),
    unlink: (path) =>
      user.later('remove', path, () => {
        onRemove(path)
        return at(() => disk.unlink(path))
      }),
    mkdir: (path) => user.later('make directory', path, () => at(() => disk.makeDirectory(path))),
    readdir: (path) => user.later('list', path, () => () => entriesOf(user, path)),
    openSync: (path) => user.now('open', path, () => open(path)),
    closeSync: (fd) => user.close(fd),
    readSync(fd, bytes, start, length, position) {
      const { path, file } = user.openedFile(fd, 'read')
      return user.readNow(file, path, bytes.subarray(start, start + length), position)
    },
    fstatSync(fd) {
      const { path, node } = user.opened(fd, 'fstat')
      return user.now('look up', path, () => statusOf(node))
    },
    lstatSync: (path) => user.now('look up', path, () => statusOf(disk.get(path, 'lstat'))),
    futimesSync(fd, seconds) {
      const { path, node } = user.opened(fd, 'futimes')
      user.now('set times', path, () => setTimes(node, seconds))
    },
    utimesSync: (path, seconds) =>
      user.now('set times', path, () => setTimes(disk.get(path, 'utimes'), seconds)),
    realpathSync: (path) =>
      user.now('look up', path, () => {
        disk.get(path, 'realpath')
        return path
      }),
    pin: () => ({
      id: '',
      device: '',
      isInPlace: () => true,
      currentPath: () => undefined,
      release: () => {},
    }),
    thisProcess: () => ({
      machine: user.id.boot.toString(16).padStart(12, '0'),
      pid: user.id.pid,
      started: '0',
    }),
    lifeOf: ({ machine: boot, pid }) =>
      machine.isAlive({ boot: Number.parseInt(boot, 16), pid }) ? 'alive' : 'dead',
  }
}

function pathOf(user: DiskUser, fd: number): string {
  return user.opened(fd, 'close').path
}

function statusOf(node: DiskNode): FileStatus {
  const isFile = node instanceof SimFile
  const mtimeNs = isFile ? node.mtimeNs : 0n
  return {
    ino: BigInt(node.inode),
    size: BigInt(isFile ? node.length : 0),
    mtimeNs,
    mtimeMs: mtimeNs / 1_000_000n,
    isFile: () => isFile,
    isDirectory: () => !isFile,
  }
}

function entriesOf({ disk }: DiskUser, path: string): DirectoryEntry[] {
  return [...disk.directory(path, 'scandir').entries].map(([name, node]) => ({
    name,
    isFile: () => node instanceof SimFile,
    isDirectory: () => node instanceof SimDirectory,
  }))
}
