import type { Host } from './host.js'
import { Session } from './session.js'
import type { Simulation } from './simulation.js'
import { ALL_TABLES, ETERNAL } from './tables.js'
import { Violation } from './violation.js'

const MINUTE_MS = 60_000
/**
 * Time after which everything is over that was under way when the faults ended: late requests,
 * pauses, leases.
 */
const SETTLED_MS = 3 * MINUTE_MS
/** Longer than a minute, after which a file that couldn't be read is tried again. */
const PATIENCE_MS = 70_000
/** Time within which a process recovers without a restart. */
const GOING_ON_MS = 5 * MINUTE_MS
/** Time within which a process recovers after a restart. */
const RESTARTED_MS = 60 * MINUTE_MS
/**
 * How often a process that only compacts reads the log, and other processes check for a compaction.
 */
const LOOK_MS = 1000
/** Level 0 is always merged at 12 files; a few more may have come since. */
const MOST_FILES = 12 + 2

/** Larger memtables aren't filled. */
const MOST_MEMTABLE_BYTES = 16_384
/** What an entry takes besides a value. If less is inline, records never enter memtables. */
const LEAST_INLINE_BYTES = 200

/** Checks that everything works again once nothing fails any more. */
export class Recovery {
  readonly #simulation: Simulation
  readonly #hosts: readonly Host[]
  /** How many processes are still working. */
  #running = 0

  constructor(simulation: Simulation, hosts: readonly Host[]) {
    this.#simulation = simulation
    this.#hosts = hosts
  }

  /**
   * Running processes recover without a restart: whatever got stuck continues by itself. By the
   * end, no other work is running.
   */
  async withoutRestart(): Promise<void> {
    const simulation = this.#simulation
    const { world } = simulation
    world.note('the faults end')
    for (const host of this.#hosts) {
      host.left = 0
      if (!host.life.alive) host.start()
    }
    await this.#wait(SETTLED_MS, 'what was under way is over')
    if (simulation.place.kind === 'embedded') {
      // After a failure of its disk, a database refuses all writes, which the next writer learns.
      await this.#inAll('finding out', GOING_ON_MS, async (host, session) => {
        await this.#put(host, session)
        if (host.isStopped) await host.reopen()
      })
    }
    simulation.endFaults()
    for (const host of this.#hosts) {
      // A log that couldn't be written has to be opened again, and not every process that must
      // learn this does.
      const mayBeStopped = simulation.place.kind === 'embedded' && simulation.place.hadFaults
      if (host.life.alive && mayBeStopped) host.crash()
      if (!host.life.alive) host.start()
    }
    for (let round = 0; round < 2; round++) {
      await this.#inAll('going on', GOING_ON_MS, (host, session) => this.#goOn(host, session))
      await this.#wait(PATIENCE_MS, 'a pause is over')
    }
    await this.#inAll('a look without a restart', GOING_ON_MS, async (_, session) => {
      await this.#readPresent(session)
      await this.#assertLetGo(session)
    })
    // All processes have something to flush at once, and then no call follows. One has the lease;
    // the others' work is done after it. Files are merged when the compacting process learns of
    // them.
    await this.#inAll('filling a memtable', GOING_ON_MS, (host, session) =>
      this.#fillMemtable(host, session),
    )
    await this.#wait(PATIENCE_MS, 'files are written')
    await this.#inAll('hearing of files', GOING_ON_MS, async ({ options }, session) => {
      const { memtables } = await session.db.stats()
      if (options.mode === 'write' && memtables.count > 1) {
        const full = memtables.count - 1
        throw new Violation(`${session.name}: ${full} memtables are full, and nobody flushes them`)
      }
      await session.db.refresh()
    })
    await this.#wait(PATIENCE_MS, 'files are merged')
    await this.#inAll('a look at level 0', GOING_ON_MS, async ({ options }, session) => {
      await session.db.refresh()
      const { levels } = await session.db.stats()
      const files = levels[0]?.files ?? 0
      if (options.mode === 'read' || files <= MOST_FILES) return
      throw new Violation(`level 0 has ${files} files, and nobody merges them`)
    })
  }

  /**
   * Every process restarts, and on a disk its machine does; it works, and sees what all others did.
   */
  async afterRestart(): Promise<void> {
    const { place, world } = this.#simulation
    const decisions = world.decisions.scope('restart')
    for (const host of this.#hosts) {
      host.crash()
      place.crashCache(host.process, decisions.scope(host.process.name))
    }
    // Everything is durable by now: each process has written since, and was told so.
    place.crash(decisions)
    for (const host of this.#hosts) host.start()
    await this.#inAll('recovery', RESTARTED_MS, async (host, session) => {
      await this.#put(host, session)
      // Records that were in no file may now be in more files than writers wait behind.
      await this.#compactForOthers(host, session)
    })
    await this.#readAllInTwo('a look at everything')
    await this.#compact()
    await this.#readAllInTwo('another look')
    await this.#inAll('letting go', RESTARTED_MS, (_, session) => this.#assertLetGo(session))
    await this.#close()
  }

  /** Orphans of a process are gone once it was opened and written to twice, as it now was. */
  async onceMore(): Promise<void> {
    for (const host of this.#hosts) host.start()
    await this.#inAll('another start', RESTARTED_MS, (host, session) => this.#put(host, session))
    await this.#compact()
    await this.#close()
  }

  async #compact(): Promise<void> {
    const [first] = this.#hosts
    await this.#inAll('compaction', RESTARTED_MS, async (host, session) => {
      if (host === first) await session.db.compact()
    })
  }

  #close(): Promise<void> {
    return this.#inAll('closing', RESTARTED_MS, (host) => host.close())
  }

  async #goOn(host: Host, session: Session): Promise<void> {
    await session.db.refresh()
    await this.#put(host, session, 300)
    await this.#compactForOthers(host, session)
  }

  async #put({ options }: Host, session: Session, padding = 0): Promise<void> {
    if (options.mode === 'read' || options.work === 'compaction') return
    const change = { table: ETERNAL, key: session.pickKey(), value: session.newValue(padding) }
    const { table, key, value } = change
    await session.write({ what: 'put', changes: [change] }, () =>
      session.table(table).put(key, value),
    )
  }

  /**
   * Writes more than a memtable holds, unless the memtable is large or values become files at once.
   */
  async #fillMemtable(host: Host, session: Session): Promise<void> {
    const { inlineLimitBytes } = this.#simulation.limits
    const bytes = Math.min(host.lifeLimits?.memtableBytes ?? 0, MOST_MEMTABLE_BYTES)
    const padding = Math.min(bytes / 2, inlineLimitBytes - LEAST_INLINE_BYTES)
    if (padding < LEAST_INLINE_BYTES) return
    for (let written = 0; written <= bytes; written += padding) {
      await this.#put(host, session, Math.floor(padding))
    }
    await this.#compactForOthers(host, session)
  }

  /** Makes a process that compacts for others look for work. */
  async #compactForOthers(host: Host, session: Session): Promise<void> {
    while (host.options.work === 'compaction' && this.#running > 1) {
      await host.life.env.sleep(LOOK_MS)
      await session.db.refresh()
    }
  }

  /** Reads every table completely, as it is now. */
  async #readPresent(session: Session): Promise<void> {
    await session.db.refresh()
    for (const { name: table } of ALL_TABLES) {
      await session.read({ what: 'last scan', table }, async () => {
        const rows = await session.table(table).scan().toArray()
        return { kind: 'rows', table, range: {}, rows, whole: true }
      })
    }
  }

  /** Reads every table as it is now, and, if its past never ends, as it was. */
  async #readAll(session: Session): Promise<void> {
    await this.#readPresent(session)
    for (let i = 0; i < 2; i++) {
      const at = { version: session.decisions.between('version', 1, session.db.version) }
      await session.read({ what: 'last scan', table: ETERNAL, at }, async () => {
        const rows = await session.table(ETERNAL).scan({ at }).toArray()
        return { kind: 'rows', table: ETERNAL, range: {}, rows, whole: true }
      })
    }
  }

  /** Reads everything in the compacting process and in another one, which has to find its files. */
  #readAllInTwo(what: string): Promise<void> {
    const readers = [this.#hosts[0], this.#hosts.at(-1)]
    return this.#inAll(what, RESTARTED_MS, async (host, session) => {
      if (readers.includes(host)) await this.#readAll(session)
    })
  }

  /** Checks that nothing is held while nothing is read, except what can be read. */
  async #assertLetGo(session: Session, mayComeIn = true): Promise<void> {
    const { db, name, host } = session
    await db.refresh()
    await db.evict()
    const { cache, levels, compactions } = await db.stats()
    // A compaction holds its inputs, which another process may have merged meanwhile. Also, data
    // that a scan read ahead and then skipped may arrive after the scan.
    const cameIn = cache.usedBytes > cache.reservedBytes && mayComeIn
    if (compactions.running || cameIn) {
      await host.life.env.sleep(LOOK_MS)
      return this.#assertLetGo(session, compactions.running)
    }
    const files = levels.reduce((sum, level) => sum + level.files, 0)
    if (cache.openFiles > files) {
      throw new Violation(`${name}: ${cache.openFiles} files are open, but there are ${files}`)
    }
    if (cache.usedBytes > cache.reservedBytes) {
      const { usedBytes, reservedBytes } = cache
      throw new Violation(
        `${name}: an empty cache uses ${usedBytes} bytes, ${reservedBytes} reserved`,
      )
    }
    if (cache.disk !== undefined && cache.disk.entries > 0) {
      throw new Violation(`${name}: an empty cache has ${cache.disk.entries} entries on its disk`)
    }
    if (cache.pinnedBytes > 0) throw new Violation(`${name}: ${cache.pinnedBytes} bytes are pinned`)
  }

  async #wait(ms: number, what: string): Promise<void> {
    const { world } = this.#simulation
    let over = false
    world.after(ms, undefined, what, () => {
      over = true
    })
    await world.runUntil(() => over, { withinMs: ms, what })
  }

  /** Runs something in every process at once. */
  async #inAll(
    what: string,
    withinMs: number,
    run: (host: Host, session: Session) => Promise<void>,
  ): Promise<void> {
    const { world } = this.#simulation
    this.#running = this.#hosts.length
    for (const host of this.#hosts) {
      const session = new Session(host, `${host.name}/${what}`)
      const done = async (): Promise<void> => {
        await session.join()
        await run(host, session)
        this.#running--
      }
      done().catch((error: unknown) => {
        world.fail(
          error instanceof Violation
            ? error
            : new Violation(`${host.name}: ${what} failed: ${String(error)}`, { cause: error }),
        )
      })
    }
    await world.runUntil(() => this.#running === 0, { withinMs, what })
  }
}
