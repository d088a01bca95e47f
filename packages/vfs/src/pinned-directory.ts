import fs from 'node:fs'

/**
 * A directory that is held, so that it can't be mistaken for another one that takes its name. It
 * may be renamed, removed or replaced meanwhile, but no other directory gets its identity.
 */
export interface PinnedDirectory {
  /** Identifies it among all directories of this machine while it is pinned. */
  readonly id: string
  /** The mounted file system that it is on: `Place.device`. */
  readonly device: string
  /** Whether its path still leads to it. Throws the system's error if that can't be determined. */
  isInPlace(): boolean
  /** A path that leads to it wherever it is now; `undefined` on systems without such paths. */
  currentPath(): string | undefined
  /** Releases it. Idempotent. */
  release(): void
}

/** An open directory, shared by all pins of one path. */
interface Shared {
  readonly fd: number | undefined
  readonly dev: number
  readonly ino: number
  users: number
}

const shared: Map<string, Shared> = new Map()

/** Pins the directory that a path leads to. Throws the system's error if there is none. */
export function pinDirectory(path: string): PinnedDirectory {
  const directory = share(path)
  const { fd, dev, ino } = directory
  let released = false
  return {
    id: `${dev}:${ino}`,
    device: String(dev),
    isInPlace: () => leadsTo(path, directory),
    currentPath: () =>
      fd !== undefined && process.platform === 'linux' ? `/proc/self/fd/${fd}` : undefined,
    release: () => {
      if (released) return
      released = true
      if (--directory.users > 0) return
      if (shared.get(path) === directory) shared.delete(path)
      if (fd !== undefined) fs.closeSync(fd)
    },
  }
}

function share(path: string): Shared {
  const known = shared.get(path)
  if (known !== undefined && leadsTo(path, known)) {
    known.users++
    return known
  }
  const fd = open(path)
  const { dev, ino } = fd === undefined ? fs.statSync(path) : fs.fstatSync(fd)
  const directory = { fd, dev, ino, users: 1 }
  shared.set(path, directory)
  return directory
}

function leadsTo(path: string, { dev, ino }: Shared): boolean {
  const status = fs.statSync(path, IF_ANY)
  return status !== undefined && status.ino === ino && status.dev === dev
}

const IF_ANY = { throwIfNoEntry: false } as const

/** Inode numbers are reused, but not the number of an open file. */
function open(path: string): number | undefined {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_DIRECTORY ?? 0))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') throw error
    // Windows opens no directories, and there may be no descriptor left: the number must be enough
    // then.
    return undefined
  }
}
