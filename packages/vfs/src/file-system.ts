import type { AnnounceOptions, LifeSign, Owner } from './owner.js'
import type { PinnedDirectory } from './pinned-directory.js'
import type { Liveness, ProcessIdentity } from './process-identity.js'
import type { ProcessTag } from './process-tag.js'

/**
 * The calls that Firn makes to a file system, and no others. `nodeFileSystem` is the system's;
 * faults and simulations are other implementations, or wrap it (`WrappedFileSystem`).
 *
 * Errors are the system's own, with their `code` ('ENOSPC', 'EIO', 'ENOENT' …). A call whose name
 * ends in `Sync` blocks the thread: it exists only if its caller needs it for speed, or because
 * nothing else may happen meanwhile.
 */
export interface FileSystem {
  /** The processes that share the files. */
  readonly processes: Processes

  /** The entries of a directory, in no order. */
  list(path: string): Promise<DirectoryEntry[]>
  /** The names in a directory, in no order. */
  namesSync(path: string): string[]
  /** Makes one directory. EEXIST if the name is taken. */
  makeDirectory(path: string): Promise<void>
  /** Makes a directory and its missing parents. */
  makeDirectories(path: string): Promise<void>
  makeDirectoriesSync(path: string): void
  /** Makes names durable that were created, renamed or removed in a directory. */
  syncDirectory(path: string): Promise<void>
  /** Pins a directory, so that another one that takes its name isn't mistaken for it. */
  pin(path: string): PinnedDirectory

  /** Reads a whole file, or the part from `start` up to `end` or the file's end. */
  readFile(path: string, start?: number, end?: number): Promise<Uint8Array>
  readFileSync(path: string, start?: number, end?: number): Uint8Array
  /** Creates a file of these pieces, not durably. EEXIST if the name is taken. */
  createFile(path: string, pieces: readonly Uint8Array[]): Promise<void>
  createFileSync(path: string, pieces: readonly Uint8Array[]): void
  open(path: string, mode: OpenMode): Promise<File>
  openSync(path: string, mode: OpenMode): File

  /** The status of the name itself, never of a symbolic link's target. */
  status(path: string): Promise<FileStatus>
  statusSync(path: string): FileStatus
  /** Sets access and modification time, in seconds since the epoch. */
  setTimesSync(path: string, seconds: number): void
  /** The path without symbolic links. */
  realPathSync(path: string): string

  /** Gives a file a further name. EEXIST if that is taken. Not every file system can do this. */
  link(from: string, to: string): Promise<void>
  linkSync(from: string, to: string): void
  /** Renames a file, replacing a file that has the new name. */
  rename(from: string, to: string): Promise<void>
  renameSync(from: string, to: string): void
  /** Removes a file's name; false if it wasn't there. */
  remove(path: string): Promise<boolean>
  removeSync(path: string): boolean
  /** Removes a file, or a directory with everything in it. A missing name is no error. */
  removeAll(path: string): Promise<void>
}

/**
 * How a file is opened. `read`: for reading only; never through a symbolic link, and without
 * waiting for the other end of a pipe. `write`: an existing file. `create`: a new file, EEXIST if
 * the name is taken. `ensure`: an existing file, or else a new one.
 */
export type OpenMode = 'read' | 'write' | 'create' | 'ensure'

/** An open file. */
export interface File {
  /**
   * Reads at a position; returns the number of bytes, which may be less than `bytes` has room for.
   */
  read(bytes: Uint8Array, position: number): Promise<number>
  readSync(bytes: Uint8Array, position: number): number
  /**
   * Writes all pieces, one after the other, at a position, or fails; then a part may have been
   * written. `durable`: as if `syncData` followed.
   */
  write(pieces: readonly Uint8Array[], position: number, how: WriteOptions): Promise<void>
  writeSync(pieces: readonly Uint8Array[], position: number, how: WriteOptions): void
  /** Makes everything durable, times included. */
  sync(): Promise<void>
  /** Makes the written data and the length durable. */
  syncData(): Promise<void>
  syncDataSync(): void
  truncate(length: number): Promise<void>
  status(): Promise<FileStatus>
  statusSync(): FileStatus
  close(): Promise<void>
  closeSync(): void
}

export interface WriteOptions {
  durable: boolean
}

/** The part of a file's status that Firn uses. */
export interface FileStatus {
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly mtimeMs: bigint
  isFile(): boolean
  isDirectory(): boolean
}

/** A name in a directory, and the kind of thing it names. */
export interface DirectoryEntry {
  readonly name: string
  isFile(): boolean
  isDirectory(): boolean
}

/** The processes that share a file system. */
export interface Processes {
  /** The process that makes the calls. */
  self(): ProcessIdentity
  /**
   * Announces this process or thread as the owner of a directory, until it ends the sign or ends
   * itself. `name` is the name of the sign's file, if it needs one in the directory.
   */
  announce(directory: string, name: string, options: AnnounceOptions): Promise<LifeSign>
  /** Whether the owner of a directory is alive. */
  livenessOf(directory: string, owner: Owner): Promise<Liveness>
  /** Whether a process is alive, by its tag alone. */
  livenessOfTag(tag: ProcessTag): Liveness
}
