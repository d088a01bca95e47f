import fs from 'node:fs'

/**
 * A directory that is held on to, so that it can't be mistaken for another one that takes its name. It
 * may be renamed, removed or replaced meanwhile, but no other one gets its identity.
 */
export interface PinnedDirectory {
  /** Tells it from all other directories of this machine while it is pinned. */
  readonly id: string
  /** Whether its path still leads to it. Throws the system's error if that can't be seen. */
  isInPlace(): boolean
  /** A path that leads to it wherever it is now; `undefined` on systems that have none. */
  currentPath(): string | undefined
  /** Lets go of it. Idempotent. */
  release(): void
}

/** Pins the directory that a path leads to. Throws the system's error if there is none. */
export function pinDirectory(path: string): PinnedDirectory {
  const id = directoryId(path)
  let fd = open(path)
  if (fd !== undefined && idOf(fs.fstatSync(fd, { bigint: true })) !== id) {
    fs.closeSync(fd)
    return pinDirectory(path)
  }
  return {
    id,
    isInPlace: () => {
      const status = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
      return status !== undefined && idOf(status) === id
    },
    currentPath: () =>
      fd !== undefined && process.platform === 'linux' ? `/proc/self/fd/${fd}` : undefined,
    release: () => {
      if (fd === undefined) return
      fs.closeSync(fd)
      fd = undefined
    },
  }
}

/** Tells a directory from all others of this machine that exist at the same time. */
export function directoryId(path: string): string {
  return idOf(fs.statSync(path, { bigint: true }))
}

function idOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`
}

/** Numbers of files are used again. That of an open one isn't. */
function open(path: string): number | undefined {
  try {
    return fs.openSync(path, 'r')
  } catch {
    // Windows opens no directories, and no descriptor may be left: then the number has to do.
    return undefined
  }
}
