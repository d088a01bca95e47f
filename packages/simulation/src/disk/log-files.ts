import type { FileSystem, LogFile } from '@firn/commit-log/file'
import type { DiskUser } from './disk-user.js'
import type { SimFile } from './sim-file.js'
import { systemError } from './system-error.js'

/** Makes the system calls of `FileCommitLog` on a simulated disk. */
export function logFiles(user: DiskUser): FileSystem {
  const { disk, machine } = user
  const part = (path: string, start = 0, end = Number.POSITIVE_INFINITY): Uint8Array =>
    disk.file(path, 'open').read(start, end)
  return {
    list: (path) =>
      user.now('list', path, () => [...disk.directory(path, 'scandir').entries.keys()].sort()),
    makeDirectory: (path) => user.now('make directory', path, () => makeAll(user, path)),
    pin: () => UNMOVED,
    read: (path, start, end) => user.now('read', path, () => part(path, start, end)),
    readAsync: (path, start, end) => user.later('read', path, () => () => part(path, start, end)),
    open: (path, { create }) => openLogFile(user, path, create),
    create(path, content) {
      const file = user.now('create', path, () => disk.createFile(path))
      user.now('write', path, () => disk.write(file, content, 0), content.length)
    },
    link: (from, to) => user.now('link', to, () => disk.link(from, to)),
    rename: (from, to) => user.now('rename', to, () => disk.rename(from, to)),
    remove: (path) =>
      user.now('remove', path, () => {
        if (disk.find(path) !== undefined) disk.unlink(path)
      }),
    syncDirectory: (path) => user.syncDirectory(path),
    announce: async (_, name) => announce(user, name),
    livenessOf: async (_, { bootId, pid, socket }) =>
      machine.isListening({ boot: Number(bootId), pid }, socket) ? 'alive' : 'dead',
    isThisProcess: ({ bootId, pid }) => Number(bootId) === user.id.boot && pid === user.id.pid,
  }
}

/** Directories of the simulated disk never move. */
const UNMOVED: ReturnType<FileSystem['pin']> = {
  id: '',
  device: '',
  isInPlace: () => true,
  currentPath: () => undefined,
  release: () => {},
}

function openLogFile(user: DiskUser, path: string, create: boolean): LogFile {
  const { disk } = user
  const isNew = create && disk.find(path) === undefined
  const file: SimFile = user.now(isNew ? 'create' : 'open', path, () =>
    isNew ? disk.createFile(path) : disk.file(path, 'open'),
  )
  const fd = user.openNode(path, file)
  return {
    async write(buffers, position, durable) {
      const bytes = buffers.reduce((sum, { length }) => sum + length, 0)
      const written = await user.write(file, path, buffers, position, { durable })
      // Node then writes the rest, and gets the reason why there was a rest.
      if (written < bytes) throw systemError('ENOSPC', 'write', path)
    },
    writeInPlace: (buffers, position, durable) =>
      user.writeNow(file, path, buffers, position, { durable }),
    sync: () => user.sync(file, path),
    syncInPlace: () => user.syncNow(file, path),
    truncate: (length) =>
      user.later('truncate', path, () => {
        disk.truncate(file, length)
        return () => {}
      }),
    close: () => user.close(fd),
  }
}

function makeAll({ disk }: DiskUser, path: string): void {
  const names = path.split('/').filter((name) => name !== '')
  for (let depth = 1; depth <= names.length; depth++) {
    const above = `/${names.slice(0, depth).join('/')}`
    if (disk.find(above) === undefined) disk.makeDirectory(above)
  }
  disk.directory(path, 'mkdir')
}

/** Announces a socket: the kernel of a machine knows its sockets without files. */
function announce({ id, machine }: DiskUser, socket: string): ReturnType<FileSystem['announce']> {
  machine.listen(id, socket)
  return Promise.resolve({
    owner: {
      platform: 'simulated',
      hostname: 'simulated',
      bootId: String(id.boot),
      pidNamespace: '',
      timeNamespace: '',
      netNamespace: '',
      pid: id.pid,
      startTime: '0',
      fileSystem: '',
      device: '',
      socket,
    },
    end: () => machine.endListening(id, socket),
  })
}
