import { compareBytes } from '@firn/bytes'
import type { FileSystem } from '@firn/vfs'
import { type Decisions, weightsOf } from '../decisions.js'
import { Random } from '../random.js'
import type { Life } from '../sim-process.js'
import { Violation } from '../violation.js'
import type { World } from '../world.js'
import { type Disk, filesIn } from './disk.js'
import { FILE_DAMAGE_KINDS, FILE_DAMAGES, type FileDamageKind } from './file-damage.js'
import { SimFile } from './sim-file.js'

/** Few kinds happen in a run: with all of them, next to nothing would be found undamaged. */
const RATES: readonly [number, ...number[]] = [0, 0, 0, 0.03, 0.12]

/**
 * Damages a cache's files at rest. Each kind has its likelihood in this run, for each file that is
 * about to be read; counts how often each happened.
 */
export class CacheDamage {
  readonly service = 'cached file'
  readonly counts: Map<FileDamageKind, number> = new Map()
  /** Reads must not show any of this damage. */
  readonly damages = false
  readonly #world: World
  /** The weight of no damage, then the weights of the kinds. */
  readonly #weights: readonly number[]
  /** Files whose content isn't what was written. */
  readonly #damaged: WeakSet<SimFile> = new WeakSet()
  #on = true

  constructor(world: World) {
    this.#world = world
    const decisions = world.decisions.scope(this.service)
    this.#weights = weightsOf(FILE_DAMAGE_KINDS.map((kind) => decisions.likelihood(kind, RATES)))
  }

  /** From now on, files stay as they are. */
  end(): void {
    this.#on = false
  }

  /**
   * Wraps the calls of a cache: it finds files damaged, and must drop the ones that it found
   * damaged.
   */
  over(files: FileSystem, life: Life, disk: Disk): FileSystem {
    const decisions = life.decisions.scope(this.service)
    const found = new WeakSet<SimFile>()
    return {
      ...files,
      readFile: async (path, start = 0, end) => {
        const file = disk.find(path)
        if (!(file instanceof SimFile)) return files.readFile(path, start, end)
        if (found.has(file)) {
          const what = `${life.name} reads ${path} once more, though it found it damaged`
          this.#world.fail(new Violation(what))
        }
        const before = file.read(start, end ?? file.length)
        if (this.#strike(file, disk, decisions, `${life.name}: ${path}`)) {
          // Bytes after the end of a piece don't matter.
          const after = file.read(start, end ?? file.length)
          if (compareBytes(before, after) !== 0) this.#damaged.add(file)
        }
        const bytes = await files.readFile(path, start, end)
        if (this.#damaged.has(file)) found.add(file)
        return bytes
      },
    }
  }

  /** Whether something happened to the file. */
  #strike(file: SimFile, disk: Disk, decisions: Decisions, what: string): boolean {
    if (!this.#on || file.length === 0 || this.#damaged.has(file)) return false
    const kind = FILE_DAMAGE_KINDS[decisions.weigh('damage', this.#weights) - 1]
    if (kind === undefined) return false
    const others = [...filesIn(disk.directory('/', 'scandir'))].map(([, other]) => other)
    const random = new Random(decisions.choose('which damage', 1_000_000), kind)
    FILE_DAMAGES[kind](disk, file, others[random.below(others.length)] ?? file, random)
    this.#world.note(`${what} meets ${kind}`)
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    return true
  }
}
