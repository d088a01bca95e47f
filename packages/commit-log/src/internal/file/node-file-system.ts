import fs from 'node:fs'
import { announce, isSameProcess, livenessOf, pinDirectory } from '@firn/vfs'
import type { FileSystem, LogFile } from './file-system.js'

/** `dsync` is the platform's O_DSYNC; without one a sync follows each durable write. */
export function makeNodeFileSystem(dsync: number | undefined): FileSystem {
  return { ...CALLS, open: (path, { create }) => new NodeLogFile(path, create, dsync) }
}

const CALLS: Omit<FileSystem, 'open'> = {
  list: (directory) => fs.readdirSync(directory),
  makeDirectory: (path) => {
    fs.mkdirSync(path, { recursive: true })
  },
  pin: pinDirectory,
  read(path, start = 0, end) {
    const fd = fs.openSync(path, 'r')
    try {
      const bytes = allocate(fs.fstatSync(fd).size, start, end)
      let at = 0
      while (at < bytes.length) {
        const count = fs.readSync(fd, bytes, at, bytes.length - at, start + at)
        if (count === 0) break
        at += count
      }
      return at === bytes.length ? bytes : bytes.subarray(0, at)
    } finally {
      fs.closeSync(fd)
    }
  },
  async readAsync(path, start = 0, end) {
    const handle = await fs.promises.open(path, 'r')
    try {
      const bytes = allocate((await handle.stat()).size, start, end)
      let at = 0
      while (at < bytes.length) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
        if (bytesRead === 0) break
        at += bytesRead
      }
      return at === bytes.length ? bytes : bytes.subarray(0, at)
    } finally {
      await handle.close()
    }
  },
  create: (path, content) => fs.writeFileSync(path, content, { flag: 'wx' }),
  link: (from, to) => fs.linkSync(from, to),
  rename: (from, to) => fs.renameSync(from, to),
  // `rmSync` would load and run code for whole trees.
  remove(path) {
    try {
      fs.unlinkSync(path)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    }
  },
  async syncDirectory(path) {
    // Directories can't be opened on Windows, where names are durable with their file.
    if (process.platform === 'win32') return
    const handle = await fs.promises.open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  announce,
  livenessOf,
  isThisProcess: (owner) => isSameProcess(owner),
}

function allocate(size: number, start: number, end: number | undefined): Uint8Array {
  const length = Math.max(0, Math.min(end ?? size, size) - start)
  // Not zeroed: every byte is read into, or cut off.
  const buffer = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer.buffer, 0, length)
}

class NodeLogFile implements LogFile {
  readonly #path: string
  readonly #fd: number
  // A second descriptor whose writes return only when they are durable: one call to the thread
  // pool and one to the system, where write and fdatasync take two of each.
  readonly #dsync: number | undefined
  #durableFd: number | undefined

  constructor(path: string, create: boolean, dsync: number | undefined) {
    this.#path = path
    this.#dsync = dsync
    this.#fd = fs.openSync(path, create ? fs.constants.O_RDWR | fs.constants.O_CREAT : 'r+', 0o644)
  }

  async write(buffers: readonly Uint8Array[], position: number, durable: boolean): Promise<void> {
    const dsyncFd = durable ? this.#dsyncFd() : undefined
    await writeAll(dsyncFd ?? this.#fd, buffers, position)
    if (durable && dsyncFd === undefined) await this.sync()
  }

  writeInPlace(buffers: readonly Uint8Array[], position: number, durable: boolean): void {
    const dsyncFd = durable ? this.#dsyncFd() : undefined
    writeAllInPlace(dsyncFd ?? this.#fd, buffers, position)
    if (durable && dsyncFd === undefined) this.syncInPlace()
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  syncInPlace(): void {
    fs.fdatasyncSync(this.#fd)
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#fd, length, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  close(): void {
    if (this.#durableFd !== undefined) fs.closeSync(this.#durableFd)
    fs.closeSync(this.#fd)
  }

  #dsyncFd(): number | undefined {
    if (this.#dsync === undefined) return undefined
    this.#durableFd ??= fs.openSync(this.#path, fs.constants.O_WRONLY | this.#dsync)
    return this.#durableFd
  }
}

function writeAll(fd: number, buffers: readonly Uint8Array[], position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const first = buffers[0]
    if (first === undefined) return resolve()
    const settle = (error: Error | null, written: number) => {
      if (error !== null) return reject(error)
      const left = without(buffers, written)
      if (left.length === 0) return resolve()
      // A short write has a reason, a full disk for instance: the next one says which.
      writeAll(fd, left, position + written).then(resolve, reject)
    }
    if (buffers.length === 1) fs.write(fd, first, 0, first.length, position, settle)
    else fs.writev(fd, buffers as Uint8Array[], position, settle)
  })
}

function writeAllInPlace(fd: number, buffers: readonly Uint8Array[], position: number): void {
  let at = position
  for (let left = buffers; left.length > 0; ) {
    const [first, second] = left
    const written =
      second === undefined
        ? fs.writeSync(fd, first as Uint8Array, 0, (first as Uint8Array).length, at)
        : fs.writevSync(fd, left, at)
    left = without(left, written)
    at += written
  }
}

/** The buffers without their first `count` bytes. */
function without(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  const left: Uint8Array[] = []
  let skip = count
  for (const buffer of buffers) {
    if (skip < buffer.length) left.push(skip === 0 ? buffer : buffer.subarray(skip))
    skip = Math.max(0, skip - buffer.length)
  }
  return left
}

/** The system's files, with O_DSYNC where the platform has it. */
export const nodeFileSystem: FileSystem = makeNodeFileSystem(fs.constants.O_DSYNC)
