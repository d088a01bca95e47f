import { type FileSystem, isMissing, type PinnedDirectory } from '@firn/vfs'
import { ObjectStoreError } from '../../errors.js'

/**
 * The directory of a store. Once the store has seen it, it works in this directory only: one that
 * takes its name later belongs to another owner.
 */
export class BaseDirectory {
  readonly path: string
  readonly #files: FileSystem
  readonly #id: string | undefined
  #pinned: PinnedDirectory | undefined
  #released = false

  /** `id`: the directory it has to be. Default: the first one found. */
  constructor(files: FileSystem, path: string, id: string | undefined) {
    this.#files = files
    this.path = path
    this.#id = id
  }

  /** The directory's id; `undefined` if no directory was found yet. */
  get id(): string | undefined {
    return this.#pinned?.id
  }

  /** Throws `ObjectStoreError` if the directory was renamed, removed or replaced. */
  assertInPlace(): void {
    if (this.#released) return
    if (this.#pinned === undefined) this.#pinned = this.#pin()
    else if (!this.#pinned.isInPlace()) throw movedError(this.path)
  }

  release(): void {
    this.#released = true
    this.#pinned?.release()
  }

  #pin(): PinnedDirectory | undefined {
    let pinned: PinnedDirectory | undefined
    try {
      pinned = this.#files.pin(this.path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    if (this.#id === undefined || pinned?.id === this.#id) return pinned
    pinned?.release()
    throw movedError(this.path)
  }
}

function movedError(path: string): ObjectStoreError {
  return new ObjectStoreError(
    `${path} was renamed, removed or replaced while it was open. Nothing is written there any more; ` +
      'close what uses it, and open it where it is now',
    { reason: 'moved', maybeDone: false },
  )
}
