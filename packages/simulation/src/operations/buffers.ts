import type { Session } from '../session.js'
import { ETERNAL } from '../tables.js'
import type { Operation } from './operation.js'

/** Longer than most intervals after which buffered writes are synced. */
const LONGEST_PAUSE_MS = 1500

/**
 * A few buffered writes, and then nothing for a while: what becomes of them is the database's to see to,
 * as no write follows, and nobody reads.
 */
export const bufferAndPause: Operation = {
  name: 'buffer and pause',
  weight: 5,
  writes: true,
  async run(session) {
    const { decisions, host } = session
    const puts = decisions.between('puts', 1, 4)
    for (let i = 0; i < puts; i++) await put(session, i)
    await host.life.env.sleep(decisions.choose('longer pause', LONGEST_PAUSE_MS))
  },
}

function put(session: Session, i: number): Promise<void> {
  const change = { table: ETERNAL, key: session.pickKey(i), value: session.newValue(20) }
  const { table, key, value } = change
  const durability = 'buffered'
  return session.write({ what: 'buffered put', changes: [change], durability }, () =>
    session.table(table).put(key, value, { durability }),
  )
}
