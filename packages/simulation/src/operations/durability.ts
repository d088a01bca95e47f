import type { Session } from '../session.js'
import { ETERNAL } from '../tables.js'
import type { Operation } from './operation.js'
import { newPut, writeOne } from './writes.js'

/**
 * Some buffered puts, which then go to the log without a sync, and a short durable put, whose
 * acknowledgement says that all of them are durable. What crashes upon that is for `Chaos` to say.
 */
export const durableAfterBuffered: Operation = {
  name: 'durable after buffered',
  weight: 4,
  writes: true,
  async run(session) {
    const { decisions } = session
    for (let puts = decisions.between('buffered puts', 1, 5); puts > 0; puts--) {
      await writeOne(session, 'buffered put', newPut(session), { durability: 'buffered' })
      await sendBuffered(session)
    }
    const [table, key, value] = [session.pickTable(), session.pickKey(), session.newValue()]
    const changes = [{ table, key, value }]
    await session.write({ what: 'short durable put', changes, isTelling: true }, () =>
      session.table(table).put(key, value),
    )
  },
}

/** Closes the group of buffered writes, now and then: a reader who holds a version does so. */
async function sendBuffered(session: Session): Promise<void> {
  const { decisions } = session
  if (decisions.choose('sends', 2) === 0) return
  await session.attempt('a look at the present', async () => {
    await using snapshot = await session.snapshot({})
    await session.tableOf(snapshot, ETERNAL).get(session.pickKey())
  })
  await session.host.life.env.sleep(decisions.choose('then waits', 30))
}
