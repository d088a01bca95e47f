import { SimFile } from './sim-file.js'
import { EVERYTHING, type Order, type Survival } from './survival.js'
import { systemError } from './system-error.js'

/** At most this many changes of names, the latest ones, may be lost. */
const MOST_PENDING = 100

/** A directory: its names, as processes see them and as they are on the device. */
export class SimDirectory {
  readonly inode: number
  readonly entries: Map<string, DiskNode> = new Map()
  readonly device: Map<string, DiskNode> = new Map()

  constructor(inode: number) {
    this.inode = inode
  }
}

export type DiskNode = SimFile | SimDirectory

interface NameChange {
  directory: SimDirectory
  name: string
  /** The file or directory that has the name from now on. */
  to: DiskNode | undefined
}

/** Names that change together or not at all. */
interface NameChanges {
  order: Order
  changes: readonly NameChange[]
}

/**
 * The disk of one machine, which keeps what POSIX promises and no more: a crash of the machine may
 * lose everything that wasn't synced, each sector of a file (`SimFile`) and each change of a name
 * by itself, in any order.
 *
 * - A file's name is durable after a sync of its directory, its content after a sync of the file.
 * - `rename` is atomic.
 * - Inode numbers are reused at once.
 *
 * Calls are synchronous: each happens at one instant. Paths are absolute. Errors are those of
 * `node:fs`.
 */
export class Disk {
  readonly #root: SimDirectory
  #pending: NameChanges[] = []
  #order = 0
  #inodes: number
  readonly #freeInodes: number[] = []

  constructor() {
    this.#root = new SimDirectory(1)
    this.#inodes = 1
  }

  /** The number of the latest change. */
  get order(): Order {
    return this.#order
  }

  /** Returns the disk as it is when this machine, or another one with its disk, is up again. */
  afterCrash(survival: Survival): Disk {
    const disk = new Disk()
    const survivors = this.#pending.filter(({ order }) => survival.keeps(order))
    const names = new Map<SimDirectory, Map<string, DiskNode>>()
    const namesOf = (directory: SimDirectory): Map<string, DiskNode> => {
      const known = names.get(directory) ?? new Map(directory.device)
      names.set(directory, known)
      return known
    }
    for (const { changes } of survivors) apply(changes, namesOf)
    const copies = new Map<SimFile, SimFile>()
    const copy = (from: SimDirectory, to: SimDirectory): void => {
      for (const [name, node] of namesOf(from)) {
        disk.#inodes = Math.max(disk.#inodes, node.inode)
        let made: DiskNode
        if (node instanceof SimDirectory) {
          made = new SimDirectory(node.inode)
          copy(node, made)
        } else {
          made = copies.get(node) ?? node.afterCrash(survival)
          copies.set(node, made)
          made.links++
        }
        to.entries.set(name, made)
        to.device.set(name, made)
      }
    }
    copy(this.#root, disk.#root)
    return disk
  }

  /** Returns another disk with the same content, all of it durable. */
  clone(): Disk {
    return this.afterCrash(EVERYTHING)
  }

  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#root
    for (const name of namesIn(path)) {
      if (!(node instanceof SimDirectory)) return undefined
      node = node.entries.get(name)
    }
    return node
  }

  /** Throws ENOENT. */
  get(path: string, syscall: string): DiskNode {
    const node = this.find(path)
    if (node === undefined) throw systemError('ENOENT', syscall, path)
    return node
  }

  /** Throws ENOENT, ENOTDIR. */
  directory(path: string, syscall: string): SimDirectory {
    const node = this.get(path, syscall)
    if (node instanceof SimFile) throw systemError('ENOTDIR', syscall, path)
    return node
  }

  /** Throws ENOENT, EISDIR. */
  file(path: string, syscall: string): SimFile {
    const node = this.get(path, syscall)
    if (node instanceof SimDirectory) throw systemError('EISDIR', syscall, path)
    return node
  }

  /** Creates a new, empty file. Throws EEXIST, ENOENT. */
  createFile(path: string): SimFile {
    const file = new SimFile(this.#freeInodes.pop() ?? ++this.#inodes)
    this.#enter(path, file, 'open')
    return file
  }

  makeDirectory(path: string): void {
    this.#enter(path, new SimDirectory(++this.#inodes), 'mkdir')
  }

  /** Called when a descriptor of the file was closed. */
  closed(file: SimFile): void {
    file.opens--
    this.#letGo(file)
  }

  write(file: SimFile, bytes: Uint8Array, position: number): void {
    file.write(bytes, position, ++this.#order)
  }

  truncate(file: SimFile, length: number): void {
    file.truncate(length, ++this.#order)
  }

  link(from: string, to: string): void {
    this.#enter(to, this.file(from, 'link'), 'link')
  }

  rename(from: string, to: string): void {
    const node = this.get(from, 'rename')
    const source = this.#parent(from, 'rename')
    const target = this.#parent(to, 'rename')
    const replaced = target.directory.entries.get(target.name)
    if (replaced === node) return
    if (replaced instanceof SimDirectory) throw systemError('EISDIR', 'rename', to)
    this.#change([
      { ...source, to: undefined },
      { ...target, to: node },
    ])
    if (replaced !== undefined) this.#unlinked(replaced)
  }

  unlink(path: string): void {
    const file = this.file(path, 'unlink')
    this.#change([{ ...this.#parent(path, 'unlink'), to: undefined }])
    this.#unlinked(file)
  }

  removeDirectory(path: string): void {
    const directory = this.directory(path, 'rmdir')
    if (directory.entries.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path)
    this.#change([{ ...this.#parent(path, 'rmdir'), to: undefined }])
  }

  /** Makes durable the changes of a directory's names up to some change. */
  syncDirectory(directory: SimDirectory, through: Order): void {
    const isDue = ({ order, changes }: NameChanges): boolean =>
      order <= through && changes.some((change) => change.directory === directory)
    for (const { changes } of this.#pending.filter(isDue)) apply(changes, ({ device }) => device)
    this.#pending = this.#pending.filter((pending) => !isDue(pending))
  }

  #enter(path: string, node: DiskNode, syscall: string): void {
    const parent = this.#parent(path, syscall)
    if (parent.directory.entries.has(parent.name)) throw systemError('EEXIST', syscall, path)
    this.#change([{ ...parent, to: node }])
    if (node instanceof SimFile) node.links++
  }

  #parent(path: string, syscall: string): { directory: SimDirectory; name: string } {
    const names = namesIn(path)
    const name = names.pop()
    if (name === undefined) throw systemError('EEXIST', syscall, path)
    return { directory: this.directory(`/${names.join('/')}`, syscall), name }
  }

  #change(changes: readonly NameChange[]): void {
    apply(changes, ({ entries }) => entries)
    this.#pending.push({ order: ++this.#order, changes })
    // A system syncs by itself after a while.
    if (this.#pending.length <= MOST_PENDING) return
    apply(this.#pending.shift()?.changes ?? [], ({ device }) => device)
  }

  #unlinked(file: SimFile): void {
    file.links--
    this.#letGo(file)
  }

  #letGo(file: SimFile): void {
    if (file.links === 0 && file.opens === 0) this.#freeInodes.push(file.inode)
  }
}

/** All files in a directory and below it, by their paths in it. */
export function* filesIn(directory: SimDirectory, above = ''): Generator<[string, SimFile]> {
  for (const [name, node] of directory.entries) {
    const path = `${above}${name}`
    if (node instanceof SimFile) yield [path, node]
    else yield* filesIn(node, `${path}/`)
  }
}

function apply(
  changes: readonly NameChange[],
  namesOf: (directory: SimDirectory) => Map<string, DiskNode>,
): void {
  for (const { directory, name, to } of changes) {
    if (to === undefined) namesOf(directory).delete(name)
    else namesOf(directory).set(name, to)
  }
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}
