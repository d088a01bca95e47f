import type { DatabaseParts, OpenOptions } from '@firn/engine'
import type { Decisions } from '../decisions.js'
import type { Life, SimProcess } from '../sim-process.js'
import type { Theme } from '../themes.js'
import { Violation } from '../violation.js'
import type { World } from '../world.js'
import { CacheDamage } from './cache-damage.js'
import { filesIn } from './disk.js'
import { DiskFaults } from './disk-faults.js'
import { Machine } from './machine.js'
import type { SimFile } from './sim-file.js'
import { simFileSystem } from './sim-file-system.js'
import { drawSurvival } from './survival.js'

const SERVICE = 'cache disk'
const DIRECTORY = '/cache'
/**
 * A third of all runs have a disk cache, with room for everything, for a dozen files, or for two or
 * three.
 */
const BUDGETS: readonly [number, ...number[]] = [0, 100_000, 4000, 1000]
const LIKELIHOODS: readonly number[] = [6, 1, 1, 1]
const ALWAYS: readonly number[] = [0, 1, 2, 2]
/** A cache makes fewer calls to its disk than a database in a directory, and no failure matters. */
const RATES: readonly [number, ...number[]] = [0, 0, 0, 0.003, 0.02, 0.15]

/**
 * The disk cache of each process, on a machine of its own. The next life of the process finds what
 * the previous one left, or what a crash of the machine left. Nothing that happens here may ever be
 * noticed.
 */
export class CacheDisks {
  /** The faults of the calls and the damage of the files. */
  readonly faults: readonly [DiskFaults, CacheDamage]
  readonly #world: World
  readonly #bytes: number
  readonly #machines: Map<SimProcess, Machine> = new Map()

  private constructor(world: World, bytes: number) {
    this.#world = world
    this.#bytes = bytes
    const calls = new DiskFaults(world, { service: SERVICE, rates: RATES, removing: true })
    this.faults = [calls, new CacheDamage(world)]
  }

  /** Draws the disk caches of a run, if it has any. */
  static draw(world: World, { hasCacheDisks = false }: Theme): CacheDisks | undefined {
    const likelihoods = hasCacheDisks ? ALWAYS : LIKELIHOODS
    const bytes = BUDGETS[world.decisions.scope(SERVICE).weigh('bytes', likelihoods)] ?? 0
    return bytes === 0 ? undefined : new CacheDisks(world, bytes)
  }

  /** Returns the parts for `open`, in one life of a process. `cache` is its cache otherwise. */
  partsFor(life: Life, cache: OpenOptions['cache']): Pick<DatabaseParts, 'cache' | 'cacheFiles'> {
    const machine = this.#machineOf(life.process)
    const [calls, damage] = this.faults
    const weather = calls.weatherFor(life)
    const user = machine.userFor(life, {
      ...weather,
      begun: ({ kind }) => {
        if (kind === 'write') this.#assertFits(life)
      },
    })
    return {
      cache: { ...cache, disk: { directory: DIRECTORY, bytes: this.#bytes } },
      cacheFiles: damage.over(simFileSystem(user), life, user.disk),
    }
  }

  /** Called when a process crashed. Its machine may crash with it. */
  crash(process: SimProcess, decisions: Decisions): void {
    const own = decisions.scope(SERVICE)
    if (own.choose('machine', 2) === 0) return
    const machine = this.#machineOf(process)
    this.#world.note(`the machine of ${process.name} crashes`)
    machine.crash(drawSurvival(own, machine.disk.order))
  }

  /**
   * Describes the files that caches still have. Call this after all caches were emptied and no
   * fault prevented that.
   */
  leftovers(): string[] {
    return [...this.#machines.keys()].flatMap((process) =>
      this.#filesOf(process).map(
        ([path]) => `${process.name} has ${path} in a cache that was emptied`,
      ),
    )
  }

  #machineOf(process: SimProcess): Machine {
    let machine = this.#machines.get(process)
    if (machine === undefined) {
      machine = new Machine()
      this.#machines.set(process, machine)
    }
    return machine
  }

  /** A cache makes room before it writes. If nothing failed, there always is room. */
  #assertFits(life: Life): void {
    if (this.faults.some(({ counts }) => counts.size > 0)) return
    const bytes = this.#filesOf(life.process).reduce((sum, [, file]) => sum + file.length, 0)
    if (bytes <= this.#bytes) return
    const what = `${life.name} has ${bytes} bytes in its cache on disk, which may have ${this.#bytes}`
    this.#world.fail(new Violation(what))
  }

  #filesOf(process: SimProcess): [string, SimFile][] {
    const { disk } = this.#machineOf(process)
    if (disk.find(DIRECTORY) === undefined) return []
    return [...filesIn(disk.directory(DIRECTORY, 'scandir'))]
  }
}
