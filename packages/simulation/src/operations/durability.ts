import type { Session } from '../session.js'
import { ETERNAL } from '../tables.js'
import type { Operation } from './operation.js'
import { newPut, writeOne } from './writes.js'

/** The number of characters of a buffered value. */
const WIDEST = 5000
/**
 * The number of characters of a value that doesn't fit into most segments, so that the log begins
 * another one.
 */
const WIDE = 4000

/**
 * Some buffered puts, which go to the log without a sync, and then a short durable put, whose
 * acknowledgement means that all of them are durable. `Chaos` decides what crashes at that moment.
 */
export const durableAfterBuffered: Operation = {
  name: 'durable after buffered',
  weight: 4,
  writes: true,
  async run(session) {
    const { decisions } = session
    const begins = decisions.choose('begins a segment', 3) === 2
    if (begins) await amidNewSegment(session)
    for (let puts = begins ? 0 : decisions.between('buffered puts', 1, 5); puts > 0; puts--) {
      await bufferOne(session)
      await sendBuffered(session)
    }
    const [table, key, value] = [session.pickTable(), session.pickKey(), session.newValue()]
    const changes = [{ table, key, value }]
    await session.write({ what: 'short durable put', changes }, () =>
      session.table(table).put(key, value),
    )
  },
}

/**
 * Makes two puts, each handed to the log by itself: the second waits until there is a segment for
 * the first.
 */
async function amidNewSegment(session: Session): Promise<void> {
  for (const width of [WIDE, 0]) {
    const change = { ...newPut(session), value: session.newValue(width) }
    await writeOne(session, 'buffered put', change, { durability: 'buffered' })
    await session.host.life.env.sleep(session.decisions.between('handed over', 1, 2))
  }
}

/**
 * Makes one buffered put, sometimes of several sectors of a disk, so that a segment ends in the
 * middle.
 */
export function bufferOne(session: Session): Promise<void> {
  const { decisions } = session
  const change = newPut(session)
  const isWide = decisions.choose('wide', 2) === 1
  const value = isWide ? session.newValue(decisions.choose('width', WIDEST)) : change.value
  return writeOne(session, 'buffered put', { ...change, value }, { durability: 'buffered' })
}

/**
 * Sometimes waits until the buffered writes have gone to the log: a millisecond is enough, and a
 * reader that holds a version sends them. A disk may still be beginning a segment for them.
 */
export async function sendBuffered(session: Session): Promise<void> {
  const { decisions, host } = session
  const how = decisions.weigh('sends', [1, 1, 1])
  if (how === 0) return
  if (how === 1) return host.life.env.sleep(decisions.between('a moment', 1, 5))
  await session.attempt('a look at the present', async () => {
    await using snapshot = await session.snapshot({})
    await session.tableOf(snapshot, ETERNAL).get(session.pickKey())
  })
  await host.life.env.sleep(decisions.choose('then waits', 30))
}
