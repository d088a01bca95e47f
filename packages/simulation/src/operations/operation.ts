import type { Session } from '../session.js'

/** Something that clients do. */
export interface Operation {
  /** Name for the trace. */
  name: string
  /** How often it is done, relative to the others. */
  weight: number
  /** Whether it needs a database that is open for writing. */
  writes: boolean
  run(session: Session): Promise<void>
}
