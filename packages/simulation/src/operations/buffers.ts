import { bufferOne, sendBuffered } from './durability.js'
import type { Operation } from './operation.js'

/** Longer than most intervals of syncing buffered writes. */
const LONGEST_PAUSE_MS = 1500

/**
 * A few buffered writes, and then nothing for a while: the database has to sync them by itself, as
 * no write and no read follows.
 */
export const bufferAndPause: Operation = {
  name: 'buffer and pause',
  weight: 5,
  writes: true,
  async run(session) {
    const { decisions, host } = session
    const puts = decisions.between('puts', 1, 4)
    for (let i = 0; i < puts; i++) {
      await bufferOne(session)
      if (i + 1 < puts) await sendBuffered(session)
    }
    await host.life.env.sleep(decisions.choose('longer pause', LONGEST_PAUSE_MS))
    // A crash now takes no write whose time was up.
    host.simulation.chaos.acknowledged(host, true)
  },
}
