import type { Session } from '../session.js'

/** Something that clients do. */
export interface Operation {
  /** For the trace. */
  name: string
  /** How often it is done, next to the others. */
  weight: number
  /** Whether it takes a database that is open for writing. */
  writes: boolean
  run(session: Session): Promise<void>
}
