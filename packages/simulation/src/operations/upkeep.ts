import { Violation } from '../violation.js'
import type { Operation } from './operation.js'

/** After it, the process sees everything that was acknowledged before. */
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

export const flush: Operation = {
  name: 'flush',
  weight: 1,
  writes: true,
  run: (session) => session.attempt('flush', () => session.db.flush()),
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

/** Closes the database and opens it again, whatever the other clients of the process are doing. */
export const reopen: Operation = {
  name: 'reopen',
  weight: 1,
  writes: false,
  run: (session) => session.host.reopen(),
}
