import type { Host } from '../host.js'
import { Session } from '../session.js'
import { Violation } from '../violation.js'

/** How long a client waits for a rival, whose process may be dead. */
const PATIENCE_MS = 400

/** Returns a client that writes in another process, if there is one with an open database. */
export async function rivalOf(session: Session): Promise<Session | undefined> {
  const { host, decisions } = session
  const others = host.simulation.writers.filter(
    (other) => other !== host && other.life.alive && other.current !== undefined,
  )
  if (others.length === 0) return undefined
  const other = others[decisions.choose('rival', others.length)] as Host
  const rival = new Session(other, `${other.name}/rival of ${session.name}`)
  await rival.join()
  return rival
}

/** Runs something as a rival. Never rejects. */
export async function handled(rival: Session, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    rival.host.simulation.world.fail(
      error instanceof Violation ? error : new Violation(String(error), { cause: error }),
    )
  }
}

/** Waits for something, but not for long. */
export async function soon(session: Session, what: Promise<unknown>): Promise<void> {
  await Promise.race([what, session.host.life.env.sleep(PATIENCE_MS)])
}
