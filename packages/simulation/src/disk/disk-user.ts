import type { Life } from '../sim-process.js'
import type { Disk, DiskNode } from './disk.js'
import type { DiskCall, DiskCallKind, DiskFault } from './disk-call.js'
import type { Machine, ProcessId } from './machine.js'
import { SimFile } from './sim-file.js'
import { NOTHING, type Order, type Survival } from './survival.js'
import { systemError } from './system-error.js'

/** The circumstances of a process's calls: faults and durations. */
export interface DiskWeather {
  /** Called before each call. Returns the fault that the call meets. */
  meet(call: DiskCall): DiskFault | undefined
  /** How long a call of another thread takes, in milliseconds. */
  latencyMs(call: DiskCall): number
  /** Called when a call has had its effect, but isn't durable yet. */
  begun?(call: DiskCall): void
  /** Returns which part of the data is on the device after a failed sync. */
  failSync?(): Survival
}

/** The first half of a call acts at once; the function that it returns ends the call. */
type Started<T> = () => T

/**
 * A process that uses a disk. A call's effect on files, as processes see them, happens when the
 * call is made; it becomes durable, if requested, when the call ends. So a crash in between finds
 * it under way.
 */
export class DiskUser {
  readonly machine: Machine
  readonly id: ProcessId
  /** The machine's disk while the process lives. */
  readonly disk: Disk
  readonly #life: Life
  readonly #weather: DiskWeather
  readonly #open: Map<number, { path: string; node: DiskNode }> = new Map()
  #descriptors = 2

  /** See `Machine.userFor`. */
  constructor(machine: Machine, id: ProcessId, life: Life, weather: DiskWeather) {
    this.machine = machine
    this.id = id
    this.disk = machine.disk
    this.#life = life
    this.#weather = weather
  }

  /** Makes a call that blocks the thread. */
  now<T>(kind: DiskCallKind, path: string, run: () => T, bytes = 0): T {
    const call = { kind, path, bytes }
    this.#refuse(call, this.#weather.meet(call))
    const result = run()
    this.#weather.begun?.(call)
    return result
  }

  /** Makes a call on another thread. */
  async later<T>(kind: DiskCallKind, path: string, start: () => Started<T>): Promise<T> {
    const call = { kind, path, bytes: 0 }
    const fault = this.#weather.meet(call)
    return this.#ends(call, () => {
      this.#refuse(call, fault)
      return start()
    })
  }

  /** Writes pieces one after the other, or less if a fault says so. Returns the bytes written. */
  async write(
    file: SimFile,
    path: string,
    pieces: readonly Uint8Array[],
    position: number,
    how: { durable: boolean },
  ): Promise<number> {
    const call: DiskCall = { kind: 'write', path, bytes: lengthOf(pieces) }
    const fault = this.#weather.meet(call)
    // The caller may reuse its buffers once the call is made.
    const bytes = joined(pieces)
    return this.#ends(call, () => {
      const written = this.#write(file, bytes, position, call, fault)
      const { order } = this.disk
      return () => {
        if (how.durable) file.syncRange(position, position + written, order)
        return written
      }
    })
  }

  /** Writes all pieces, and blocks the thread. */
  writeNow(
    file: SimFile,
    path: string,
    pieces: readonly Uint8Array[],
    position: number,
    how: { durable: boolean },
  ): void {
    const call: DiskCall = { kind: 'write', path, bytes: lengthOf(pieces) }
    const fault = this.#weather.meet(call)
    const bytes = joined(pieces)
    const written = this.#write(file, bytes, position, call, fault)
    this.#weather.begun?.(call)
    if (how.durable) file.syncRange(position, position + written, this.disk.order)
    if (written < bytes.length) throw systemError('ENOSPC', 'write', path)
  }

  /** Reads into `bytes`, or only a part if a fault says so. */
  readNow(file: SimFile, path: string, bytes: Uint8Array, position: number): number {
    const call: DiskCall = { kind: 'read', path, bytes: bytes.length }
    const fault = this.#weather.meet(call)
    this.#refuse(call, fault)
    return readInto(file, bytes, position, fault)
  }

  async read(file: SimFile, path: string, bytes: Uint8Array, position: number): Promise<number> {
    const call: DiskCall = { kind: 'read', path, bytes: bytes.length }
    const fault = this.#weather.meet(call)
    return this.#ends(call, () => {
      this.#refuse(call, fault)
      return () => readInto(file, bytes, position, fault)
    })
  }

  /** Makes earlier writes durable. */
  async sync(file: SimFile, path: string): Promise<void> {
    const call: DiskCall = { kind: 'sync', path, bytes: 0 }
    const fault = this.#weather.meet(call)
    return this.#ends(call, () => {
      const { order } = this.disk
      return () => this.#sync(file, call, fault, order)
    })
  }

  /** Makes earlier writes durable, and blocks the thread. */
  syncNow(file: SimFile, path: string): void {
    const call: DiskCall = { kind: 'sync', path, bytes: 0 }
    const fault = this.#weather.meet(call)
    this.#weather.begun?.(call)
    this.#sync(file, call, fault, this.disk.order)
  }

  async syncDirectory(path: string): Promise<void> {
    return this.later('sync directory', path, () => {
      const directory = this.disk.directory(path, 'open')
      const { order } = this.disk
      return () => this.disk.syncDirectory(directory, order)
    })
  }

  openNode(path: string, node: DiskNode): number {
    const fd = ++this.#descriptors
    this.#open.set(fd, { path, node })
    if (node instanceof SimFile) node.opens++
    return fd
  }

  /** Throws EBADF. */
  opened(fd: number, syscall: string): { path: string; node: DiskNode } {
    const found = this.#open.get(fd)
    if (found === undefined) throw systemError('EBADF', syscall, String(fd))
    return found
  }

  /** Throws EBADF, EISDIR. */
  openedFile(fd: number, syscall: string): { path: string; file: SimFile } {
    const { path, node } = this.opened(fd, syscall)
    if (!(node instanceof SimFile)) throw systemError('EISDIR', syscall, path)
    return { path, file: node }
  }

  close(fd: number): void {
    const { node } = this.opened(fd, 'close')
    this.#open.delete(fd)
    if (node instanceof SimFile) this.disk.closed(node)
  }

  #write(
    file: SimFile,
    bytes: Uint8Array,
    position: number,
    call: DiskCall,
    fault: DiskFault | undefined,
  ): number {
    const written = Math.floor(bytes.length * (fault === undefined ? 1 : (fault.share ?? 0)))
    if (written > 0) this.disk.write(file, bytes.subarray(0, written), position)
    this.#refuse(call, fault)
    return written
  }

  #sync(file: SimFile, call: DiskCall, fault: DiskFault | undefined, through: Order): void {
    if (fault?.code !== undefined) file.failSync(this.#weather.failSync?.() ?? NOTHING)
    this.#refuse(call, fault)
    file.sync(through)
  }

  #refuse({ kind, path }: DiskCall, fault: DiskFault | undefined): void {
    if (fault?.code !== undefined) throw systemError(fault.code, kind, path)
  }

  #ends<T>(call: DiskCall, start: () => Started<T>): Promise<T> {
    let finish: Started<T>
    try {
      finish = start()
    } catch (error) {
      finish = () => {
        throw error
      }
    }
    this.#weather.begun?.(call)
    return new Promise((resolve, reject) => {
      const what = `${call.kind} ${call.path}`
      this.#life.after(this.#weather.latencyMs(call), what, () => {
        try {
          resolve(finish())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}

function readInto(
  file: SimFile,
  bytes: Uint8Array,
  position: number,
  fault: DiskFault | undefined,
): number {
  const share = fault?.share ?? 1
  const wanted = Math.max(Math.min(1, bytes.length), Math.floor(bytes.length * share))
  const found = file.read(position, position + wanted)
  bytes.set(found)
  return found.length
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(pieces))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
