import type { Session } from '../session.js'

/**
 * Empties the cache before a transaction commits, and reads the log a few times during its
 * validation: the process then knows what others committed before the transaction has been
 * validated against it. Resolves when the cache is empty. The reads go on, and `ended` resolves
 * after them.
 */
export async function stir(session: Session): Promise<{ ended: Promise<void> }> {
  await session.attempt('evict amid a transaction', () => session.db.evict())
  const { decisions } = session
  const pauses = Array.from({ length: decisions.between('looks', 1, 4) }, () =>
    decisions.choose('look after', 60),
  )
  return { ended: lookAgain(session, pauses) }
}

async function lookAgain(session: Session, pauses: readonly number[]): Promise<void> {
  for (const pauseMs of pauses) {
    await session.host.life.env.sleep(pauseMs)
    await session.attempt('refresh amid a transaction', async () => {
      await session.db.refresh()
    })
  }
}
