import type { PinnedDirectory } from '@firn/vfs'
import type { FileSystem, LogFile } from '../src/file.js'
import { nodeFileSystem } from '../src/internal/file/node-file-system.js'

export type FileCall =
  | {
      call: 'write'
      path: string
      bytes: number
      position: number
      durable: boolean
      inPlace: boolean
    }
  | { call: 'sync' | 'truncate' | 'open' | 'syncDirectory' | 'rename' | 'read'; path: string }

/** What happens to a call: an error, or an error after the first `written` bytes of a write. */
export type FileFault = { code: string; written?: number }

/**
 * The real file system, with calls that fail as the system's do: same shape of error, and writes
 * that were done in part before they failed.
 */
export class FaultyFileSystem implements FileSystem {
  readonly calls: FileCall[] = []
  readonly #fault: (call: FileCall) => FileFault | undefined

  constructor(fault: (call: FileCall) => FileFault | undefined = () => undefined) {
    this.#fault = fault
  }

  list(directory: string): string[] {
    return nodeFileSystem.list(directory)
  }

  makeDirectory(path: string): void {
    nodeFileSystem.makeDirectory(path)
  }

  pin(directory: string): PinnedDirectory {
    return nodeFileSystem.pin(directory)
  }

  read(path: string, start?: number, end?: number): Uint8Array {
    this.#check({ call: 'read', path })
    return nodeFileSystem.read(path, start, end)
  }

  async readAsync(path: string, start?: number, end?: number): Promise<Uint8Array> {
    this.#check({ call: 'read', path })
    return nodeFileSystem.readAsync(path, start, end)
  }

  open(path: string, options: { create: boolean }): LogFile {
    this.#check({ call: 'open', path })
    const file = nodeFileSystem.open(path, options)
    return {
      write: async (buffers, position, durable) => {
        const how = { durable, inPlace: false }
        const fault = this.#checkWrite(path, buffers, position, how)
        if (fault === undefined) return file.write(buffers, position, durable)
        const part = Buffer.concat(buffers).subarray(0, fault.written ?? 0)
        if (part.length > 0) await file.write([part], position, false)
        throw systemError(fault.code, 'write')
      },
      writeInPlace: (buffers, position, durable) => {
        const how = { durable, inPlace: true }
        const fault = this.#checkWrite(path, buffers, position, how)
        if (fault === undefined) return file.writeInPlace(buffers, position, durable)
        const part = Buffer.concat(buffers).subarray(0, fault.written ?? 0)
        if (part.length > 0) file.writeInPlace([part], position, durable)
        throw systemError(fault.code, 'write')
      },
      sync: async () => {
        this.#check({ call: 'sync', path })
        return file.sync()
      },
      syncInPlace: () => {
        this.#check({ call: 'sync', path })
        file.syncInPlace()
      },
      truncate: async (length) => {
        this.#check({ call: 'truncate', path })
        return file.truncate(length)
      },
      close: () => file.close(),
    }
  }

  rename(from: string, to: string): void {
    this.#check({ call: 'rename', path: to })
    nodeFileSystem.rename(from, to)
  }

  create(path: string, content: Uint8Array): void {
    nodeFileSystem.create(path, content)
  }

  link(from: string, to: string): void {
    nodeFileSystem.link(from, to)
  }

  remove(path: string): void {
    nodeFileSystem.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#check({ call: 'syncDirectory', path })
    return nodeFileSystem.syncDirectory(path)
  }

  readonly announce: FileSystem['announce'] = nodeFileSystem.announce
  readonly livenessOf: FileSystem['livenessOf'] = nodeFileSystem.livenessOf
  readonly isThisProcess: FileSystem['isThisProcess'] = nodeFileSystem.isThisProcess

  #checkWrite(
    path: string,
    buffers: readonly Uint8Array[],
    position: number,
    how: { durable: boolean; inPlace: boolean },
  ): FileFault | undefined {
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const call: FileCall = { call: 'write', path, bytes, position, ...how }
    this.calls.push(call)
    return this.#fault(call)
  }

  #check(call: FileCall): void {
    this.calls.push(call)
    const fault = this.#fault(call)
    if (fault !== undefined) throw systemError(fault.code, call.call)
  }
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, errno: -1, syscall })
}
