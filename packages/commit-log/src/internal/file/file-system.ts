import type { AnnounceOptions, LifeSign, Liveness, Owner, PinnedDirectory } from '@firn/vfs'

/**
 * The few calls of a file system that the log and the lock make, and what is known of the processes
 * that share it. Node's is in
 * `node-file-system.ts`; tests wrap it to fail, tear and lose writes. Errors are the system's own,
 * with their `code` (`ENOSPC`, `EIO`, `ENOENT` …).
 */
export interface FileSystem {
  /** Names in a directory, in no order. */
  list(directory: string): string[]
  makeDirectory(path: string): void
  /** Holds on to a directory, so that one which takes its name isn't mistaken for it. */
  pin(directory: string): PinnedDirectory
  /** The whole file, or the part of it from `start` up to `end` or the file's end. */
  read(path: string, start?: number, end?: number): Uint8Array
  /** As `read`, without holding up the thread. */
  readAsync(path: string, start?: number, end?: number): Promise<Uint8Array>
  /** Opens an existing file for writing, or creates it. */
  open(path: string, options: { create: boolean }): LogFile
  /** Creates a file with this content, not durably; EEXIST where there is one. */
  create(path: string, content: Uint8Array): void
  /** Gives a file another name, which must be free: EEXIST otherwise. Not every file system can. */
  link(from: string, to: string): void
  rename(from: string, to: string): void
  /** Removes a file if it is there. */
  remove(path: string): void
  /** Makes names that were created, renamed or removed in a directory durable. */
  syncDirectory(path: string): Promise<void>
  /**
   * Announces this process or thread as the owner of a directory, until it ends the sign or ends
   * itself. `name` is for a file of the sign in the directory.
   */
  announce(directory: string, name: string, options: AnnounceOptions): Promise<LifeSign>
  /** Whether the owner of a directory lives. */
  livenessOf(directory: string, owner: Owner): Promise<Liveness>
  /** Whether an owner is this process, in any of its threads. */
  isThisProcess(owner: Owner): boolean
}

/** A file open for writing. */
export interface LogFile {
  /**
   * Writes the buffers, one after the other, at `position`. Durable when it resolves with
   * `durable`, as if a sync of the data followed. Writes everything or rejects; a part may have
   * been written then.
   */
  write(buffers: readonly Uint8Array[], position: number, durable: boolean): Promise<void>
  /** As `write`, holding up the thread. */
  writeInPlace(buffers: readonly Uint8Array[], position: number, durable: boolean): void
  /** Makes all that was written durable, the length too. */
  sync(): Promise<void>
  /** As `sync`, holding up the thread. */
  syncInPlace(): void
  truncate(length: number): Promise<void>
  close(): void
}
