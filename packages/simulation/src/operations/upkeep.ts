import type { Session } from '../session.js'
import { ETERNAL } from '../tables.js'
import { Violation } from '../violation.js'
import { bufferOne } from './durability.js'
import type { Operation } from './operation.js'

/** After a refresh, the process sees everything that was acknowledged before. */
export const refresh: Operation = {
  name: 'refresh',
  weight: 4,
  writes: false,
  async run(session) {
    const { acknowledged } = session.history
    await session.attempt('refresh', async () => {
      const version = await session.db.refresh()
      if (version >= acknowledged) return
      throw new Violation(
        `${session.name} refreshed to version ${version}, but ${acknowledged} was acknowledged before`,
      )
    })
  },
}

/**
 * After a flush, everything buffered before it is durable, even from the same turn, and even if
 * several overlap.
 */
export const flush: Operation = {
  name: 'flush',
  weight: 1,
  writes: true,
  async run(session) {
    const { decisions, host } = session
    const under: Promise<void>[] = []
    for (let rounds = decisions.between('rounds', 1, 3); rounds > 0; rounds--) {
      under.push(flushOnce(session))
      if (rounds > 1) await host.life.env.sleep(decisions.choose('apart', 12))
    }
    await Promise.all(under)
  },
}

async function flushOnce(session: Session): Promise<void> {
  const { history, db, decisions, host } = session
  const puts = Array.from({ length: decisions.choose('puts before', 4) }, () => bufferOne(session))
  const { version } = db
  await session.attempt('flush', async () => {
    await db.flush()
    const { world, chaos } = host.simulation
    history.settle(version, world.nowMs)
    chaos.acknowledged(host, true)
  })
  await Promise.all(puts)
}

/** Brings a range into memory. */
export const warm: Operation = {
  name: 'warm',
  weight: 1,
  writes: false,
  async run(session) {
    const { reverse, limit, ...range } = session.pickRange()
    const table = session.pickTable()
    const signal = session.mayAbandon()
    await session.attempt('warm', async () => {
      await session.table(table).warm(range, signal)
    })
  },
}

/** Empties the cache. */
export const evict: Operation = {
  name: 'evict',
  weight: 1,
  writes: false,
  run: (session) => session.attempt('evict', () => session.db.evict()),
}

/** Statistics of the database. */
export const stats: Operation = {
  name: 'stats',
  weight: 1,
  writes: false,
  async run(session) {
    const { db } = session
    await session.attempt('stats', async () => {
      const before = db.version
      const { cache, version } = await db.stats()
      // Another client of the process may write before the promise is settled.
      if (version < before || version > db.version) {
        throw new Violation(`stats() of version ${version}, not ${before} to ${db.version}`)
      }
      if (cache.readerBytes < 0 || (cache.openFiles === 0 && cache.readerBytes > 0)) {
        throw new Violation(`${cache.openFiles} open files take ${cache.readerBytes} bytes`)
      }
    })
    await session.read({ what: 'tables', table: ETERNAL }, async () => ({
      kind: 'tables',
      names: (await db.tables()).map(({ name }) => name),
    }))
  },
}

export const compact: Operation = {
  name: 'compact',
  weight: 2,
  writes: true,
  run: (session) =>
    session.attempt('compact', async () => {
      await session.db.compact()
    }),
}

/** Closes the database and opens it again, whatever other clients of the process are doing. */
export const reopen: Operation = {
  name: 'reopen',
  weight: 1,
  writes: false,
  run: (session) => session.host.reopen(),
}
