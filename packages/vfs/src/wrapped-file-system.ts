import type {
  DirectoryEntry,
  File,
  FileStatus,
  FileSystem,
  OpenMode,
  Processes,
} from './file-system.js'
import type { PinnedDirectory } from './pinned-directory.js'

/**
 * A file system that makes its calls on another one. `before` sees each call that finds a file by
 * its path, and can refuse it; a subclass overrides whatever else it changes.
 */
export class WrappedFileSystem implements FileSystem {
  protected readonly inner: FileSystem

  constructor(inner: FileSystem) {
    this.inner = inner
  }

  /**
   * Called before each call with its path; for `link` and `rename`, the new one. If it throws, the
   * call fails with that error.
   */
  protected before(_call: FileSystemCall, _path: string): void {}

  get processes(): Processes {
    return this.inner.processes
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    this.before('list', path)
    return this.inner.list(path)
  }

  namesSync(path: string): string[] {
    this.before('namesSync', path)
    return this.inner.namesSync(path)
  }

  async makeDirectory(path: string): Promise<void> {
    this.before('makeDirectory', path)
    return this.inner.makeDirectory(path)
  }

  async makeDirectories(path: string): Promise<void> {
    this.before('makeDirectories', path)
    return this.inner.makeDirectories(path)
  }

  makeDirectoriesSync(path: string): void {
    this.before('makeDirectoriesSync', path)
    this.inner.makeDirectoriesSync(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.before('syncDirectory', path)
    return this.inner.syncDirectory(path)
  }

  pin(path: string): PinnedDirectory {
    return this.inner.pin(path)
  }

  async readFile(path: string, start?: number, end?: number): Promise<Uint8Array> {
    this.before('readFile', path)
    return this.inner.readFile(path, start, end)
  }

  readFileSync(path: string, start?: number, end?: number): Uint8Array {
    this.before('readFileSync', path)
    return this.inner.readFileSync(path, start, end)
  }

  async createFile(path: string, pieces: readonly Uint8Array[]): Promise<void> {
    this.before('createFile', path)
    return this.inner.createFile(path, pieces)
  }

  createFileSync(path: string, pieces: readonly Uint8Array[]): void {
    this.before('createFileSync', path)
    this.inner.createFileSync(path, pieces)
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    this.before('open', path)
    return this.inner.open(path, mode)
  }

  openSync(path: string, mode: OpenMode): File {
    this.before('openSync', path)
    return this.inner.openSync(path, mode)
  }

  async status(path: string): Promise<FileStatus> {
    this.before('status', path)
    return this.inner.status(path)
  }

  statusSync(path: string): FileStatus {
    this.before('statusSync', path)
    return this.inner.statusSync(path)
  }

  setTimesSync(path: string, seconds: number): void {
    this.before('setTimesSync', path)
    this.inner.setTimesSync(path, seconds)
  }

  realPathSync(path: string): string {
    this.before('realPathSync', path)
    return this.inner.realPathSync(path)
  }

  async link(from: string, to: string): Promise<void> {
    this.before('link', to)
    return this.inner.link(from, to)
  }

  linkSync(from: string, to: string): void {
    this.before('linkSync', to)
    this.inner.linkSync(from, to)
  }

  async rename(from: string, to: string): Promise<void> {
    this.before('rename', to)
    return this.inner.rename(from, to)
  }

  renameSync(from: string, to: string): void {
    this.before('renameSync', to)
    this.inner.renameSync(from, to)
  }

  async remove(path: string): Promise<boolean> {
    this.before('remove', path)
    return this.inner.remove(path)
  }

  removeSync(path: string): boolean {
    this.before('removeSync', path)
    return this.inner.removeSync(path)
  }

  async removeAll(path: string): Promise<void> {
    this.before('removeAll', path)
    return this.inner.removeAll(path)
  }
}

/** A call that finds a file by its path. */
export type FileSystemCall = Exclude<keyof FileSystem, 'processes' | 'pin'>
