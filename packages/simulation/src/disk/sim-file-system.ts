import {
  type File,
  type FileStatus,
  type FileSystem,
  type OpenMode,
  type PinnedDirectory,
  type Processes,
  tagOf,
} from '@firn/vfs'
import { type DiskNode, SimDirectory } from './disk.js'
import type { DiskUser } from './disk-user.js'
import type { ProcessId } from './machine.js'
import { SimFile } from './sim-file.js'
import { systemError } from './system-error.js'

/**
 * A file system on a simulated disk. `onRemove` is called with the path of each file just before it
 * is removed.
 */
export function simFileSystem(
  user: DiskUser,
  onRemove: (path: string) => void = () => {},
): FileSystem {
  const { disk } = user
  const at = <T>(run: () => T) => {
    const value = run()
    return () => value
  }
  const part = (path: string, start = 0, end = Number.POSITIVE_INFINITY): Uint8Array =>
    disk.file(path, 'open').read(start, end)
  const creates = (path: string, mode: OpenMode): boolean =>
    mode === 'create' || (mode === 'ensure' && disk.find(path) === undefined)
  const create = (path: string): File => openNode(user, path, disk.createFile(path))
  const open = (path: string): File => openNode(user, path, disk.get(path, 'open'))
  const remove = (path: string): boolean => {
    if (disk.find(path) === undefined) return false
    onRemove(path)
    disk.unlink(path)
    return true
  }
  return {
    processes: processesSeenBy(user),
    list: (path) => user.later('list', path, () => () => entriesOf(user, path)),
    namesSync: (path) =>
      user.now('list', path, () => [...disk.directory(path, 'scandir').entries.keys()].sort()),
    makeDirectory: (path) =>
      user.later('make directory', path, () => at(() => disk.makeDirectory(path))),
    makeDirectories: (path) =>
      user.later('make directory', path, () => at(() => makeAll(user, path))),
    makeDirectoriesSync: (path) => user.now('make directory', path, () => makeAll(user, path)),
    syncDirectory: (path) => user.syncDirectory(path),
    pin: () => UNMOVED,
    readFile: (path, start, end) => user.later('read', path, () => () => part(path, start, end)),
    readFileSync: (path, start, end) => user.now('read', path, () => part(path, start, end)),
    async createFile(path, pieces) {
      const file = await user.later('create', path, () => at(() => disk.createFile(path)))
      if (pieces.length > 0) await writeAll(user, file, path, pieces, 0, false)
    },
    createFileSync(path, pieces) {
      const file = user.now('create', path, () => disk.createFile(path))
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
      const write = () => {
        let end = 0
        for (const piece of pieces) {
          disk.write(file, piece, end)
          end += piece.length
        }
      }
      user.now('write', path, write, bytes)
    },
    open: (path, mode) =>
      creates(path, mode)
        ? user.later('create', path, () => at(() => create(path)))
        : user.later('open', path, () => at(() => open(path))),
    openSync: (path, mode) =>
      creates(path, mode)
        ? user.now('create', path, () => create(path))
        : user.now('open', path, () => open(path)),
    status: (path) => user.later('look up', path, () => () => statusOf(disk.get(path, 'lstat'))),
    statusSync: (path) => user.now('look up', path, () => statusOf(disk.get(path, 'lstat'))),
    setTimesSync: (path, seconds) =>
      user.now('set times', path, () => {
        const node = disk.get(path, 'utimes')
        if (node instanceof SimFile) node.mtimeNs = BigInt(Math.round(seconds * 1e9))
      }),
    realPathSync: (path) =>
      user.now('look up', path, () => {
        disk.get(path, 'realpath')
        return path
      }),
    link: (from, to) => user.later('link', to, () => at(() => disk.link(from, to))),
    linkSync: (from, to) => user.now('link', to, () => disk.link(from, to)),
    rename: (from, to) => user.later('rename', to, () => at(() => disk.rename(from, to))),
    renameSync: (from, to) => user.now('rename', to, () => disk.rename(from, to)),
    remove: (path) => user.later('remove', path, () => at(() => remove(path))),
    removeSync: (path) => user.now('remove', path, () => remove(path)),
    removeAll: (path) =>
      user.later('remove', path, () => at(() => removeAll(user, path, disk.find(path)))),
  }
}

/** Directories of the simulated disk stay where they are. */
const UNMOVED: PinnedDirectory = {
  id: '',
  device: '',
  isInPlace: () => true,
  currentPath: () => undefined,
  release: () => {},
}

function openNode(user: DiskUser, path: string, node: DiskNode): File {
  const { disk } = user
  const fd = user.openNode(path, node)
  const file = (syscall: string): SimFile => user.openedFile(fd, syscall).file
  return {
    read: async (bytes, position) => user.read(file('read'), path, bytes, position),
    readSync: (bytes, position) => user.readNow(file('read'), path, bytes, position),
    write: async (pieces, position, { durable }) =>
      writeAll(user, file('write'), path, pieces, position, durable),
    writeSync: (pieces, position, { durable }) =>
      user.writeNow(file('write'), path, pieces, position, { durable }),
    sync: async () => user.sync(file('fsync'), path),
    syncData: async () => user.sync(file('fdatasync'), path),
    syncDataSync: () => user.syncNow(file('fdatasync'), path),
    truncate: (length) =>
      user.later('truncate', path, () => {
        disk.truncate(file('ftruncate'), length)
        return () => {}
      }),
    status: () => user.later('look up', path, () => () => statusOf(node)),
    statusSync: () => user.now('look up', path, () => statusOf(node)),
    close: () =>
      user.later('look up', path, () => {
        user.close(fd)
        return () => {}
      }),
    closeSync: () => user.close(fd),
  }
}

async function writeAll(
  user: DiskUser,
  file: SimFile,
  path: string,
  pieces: readonly Uint8Array[],
  position: number,
  durable: boolean,
): Promise<void> {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  const written = await user.write(file, path, pieces, position, { durable })
  // What Node does then is to write the rest, and that says why there was a rest.
  if (written < bytes) throw systemError('ENOSPC', 'write', path)
}

function makeAll({ disk }: DiskUser, path: string): void {
  const names = path.split('/').filter((name) => name !== '')
  for (let depth = 1; depth <= names.length; depth++) {
    const above = `/${names.slice(0, depth).join('/')}`
    if (disk.find(above) === undefined) disk.makeDirectory(above)
  }
  disk.directory(path, 'mkdir')
}

function removeAll(user: DiskUser, path: string, node: DiskNode | undefined): void {
  if (node instanceof SimFile) user.disk.unlink(path)
  if (!(node instanceof SimDirectory)) return
  for (const [name, below] of [...node.entries]) removeAll(user, `${path}/${name}`, below)
  user.disk.removeDirectory(path)
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

function entriesOf({ disk }: DiskUser, path: string): Awaited<ReturnType<FileSystem['list']>> {
  return [...disk.directory(path, 'scandir').entries].map(([name, node]) => ({
    name,
    isFile: () => node instanceof SimFile,
    isDirectory: () => node instanceof SimDirectory,
  }))
}

/** What the kernel of a machine knows of its processes and their sockets, without files. */
function processesSeenBy({ id, machine }: DiskUser): Processes {
  const self = identityOf(id)
  return {
    self: () => self,
    async announce(_, socket) {
      machine.listen(id, socket)
      return {
        owner: { ...self, fileSystem: '', device: '', socket },
        end: () => machine.endListening(id, socket),
      }
    },
    livenessOf: async (_, { bootId, pid, socket }) =>
      machine.isListening({ boot: Number(bootId), pid }, socket) ? 'alive' : 'dead',
    livenessOfTag: (tag) =>
      tag.machine === tagOf(self).machine && machine.isAlive({ boot: id.boot, pid: tag.pid })
        ? 'alive'
        : 'dead',
  }
}

function identityOf({ boot, pid }: ProcessId): ReturnType<Processes['self']> {
  return {
    platform: 'simulated',
    hostname: 'simulated',
    bootId: String(boot),
    pidNamespace: '',
    timeNamespace: '',
    netNamespace: '',
    pid,
    startTime: '0',
  }
}
