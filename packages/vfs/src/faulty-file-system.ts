import type { File, FileSystem, OpenMode, WriteOptions } from './file-system.js'
import { nodeFileSystem } from './node-file-system.js'
import { type FileSystemCall, WrappedFileSystem } from './wrapped-file-system.js'

/** A call's name without `Sync`. */
type Kind<Name extends string> = Name extends `${infer Asynchronous}Sync` ? Asynchronous : Name

export type FileCallKind = Kind<FileSystemCall | keyof File>

/** A call as faults see it. Closing a file in place can't fail, and isn't reported. */
export interface FileCall {
  readonly call: FileCallKind
  /** For `link` and `rename`, the new path. */
  readonly path: string
  /** Whether the call blocked the thread. */
  readonly inPlace: boolean
  /** Set for a write to an open file. */
  readonly bytes?: number
  readonly position?: number
  readonly durable?: boolean
}

/** A fault that a call meets: an error, for a write after its first `written` bytes were done. */
export interface FileFault {
  readonly code: string
  readonly written?: number
}

/**
 * A file system that records its calls and makes some fail as the system's do: with the same shape
 * of error, and with partial writes.
 */
export class FaultyFileSystem extends WrappedFileSystem {
  readonly calls: FileCall[] = []
  readonly #fault: (call: FileCall) => FileFault | undefined

  /** `fault` is called before each call, and may change something else at that moment. */
  constructor(
    fault: (call: FileCall) => FileFault | undefined = () => undefined,
    inner: FileSystem = nodeFileSystem,
  ) {
    super(inner)
    this.#fault = fault
  }

  override async open(path: string, mode: OpenMode): Promise<File> {
    return this.#faulty(path, await super.open(path, mode))
  }

  override openSync(path: string, mode: OpenMode): File {
    return this.#faulty(path, super.openSync(path, mode))
  }

  protected override before(name: FileSystemCall, path: string): void {
    this.#meet(callOf(name, path))
  }

  /** Throws the fault for a call, if there is one. */
  #meet(call: FileCall): void {
    const fault = this.#note(call)
    if (fault !== undefined) throw injected(fault.code, call)
  }

  #note(call: FileCall): FileFault | undefined {
    this.calls.push(call)
    return this.#fault(call)
  }

  /** An object without a prototype of its own: tests spread it, and replace a method. */
  #faulty(path: string, file: File): File {
    const meet = (name: keyof File): void => this.#meet(callOf(name, path))
    const write = (
      name: 'write' | 'writeSync',
      pieces: readonly Uint8Array[],
      position: number,
      how: WriteOptions,
    ) => {
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
      const call = { ...callOf(name, path), bytes, position, durable: how.durable }
      const fault = this.#note(call)
      if (fault === undefined) return undefined
      const part = Buffer.concat(pieces).subarray(0, fault.written ?? 0)
      return { part, error: injected(fault.code, call) }
    }
    return {
      read: async (bytes, position) => {
        meet('read')
        return file.read(bytes, position)
      },
      readSync: (bytes, position) => {
        meet('readSync')
        return file.readSync(bytes, position)
      },
      write: async (pieces, position, how) => {
        const failed = write('write', pieces, position, how)
        if (failed === undefined) return file.write(pieces, position, how)
        if (failed.part.length > 0) await file.write([failed.part], position, { durable: false })
        throw failed.error
      },
      writeSync: (pieces, position, how) => {
        const failed = write('writeSync', pieces, position, how)
        if (failed === undefined) return file.writeSync(pieces, position, how)
        if (failed.part.length > 0) file.writeSync([failed.part], position, how)
        throw failed.error
      },
      sync: async () => {
        meet('sync')
        return file.sync()
      },
      syncData: async () => {
        meet('syncData')
        return file.syncData()
      },
      syncDataSync: () => {
        meet('syncDataSync')
        file.syncDataSync()
      },
      truncate: async (length) => {
        meet('truncate')
        return file.truncate(length)
      },
      status: async () => {
        meet('status')
        return file.status()
      },
      statusSync: () => {
        meet('statusSync')
        return file.statusSync()
      },
      // The file is closed even if the call fails.
      close: async () => {
        await file.close()
        meet('close')
      },
      closeSync: () => file.closeSync(),
    }
  }
}

function callOf(name: FileSystemCall | keyof File, path: string): FileCall {
  const inPlace = name.endsWith('Sync')
  return { call: (inPlace ? name.slice(0, -4) : name) as FileCallKind, path, inPlace }
}

function injected(code: string, { call, path }: FileCall): Error {
  return Object.assign(new Error(`${code}: injected, ${call} '${path}'`), {
    code,
    errno: -1,
    syscall: call,
  })
}
