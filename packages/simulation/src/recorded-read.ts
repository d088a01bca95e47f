import type { At, Seen } from './history.js'
import { isToCome } from './moments.js'
import type { Session } from './session.js'
import { ETERNAL } from './tables.js'

/** A read as an operation describes it. */
export interface ReadRequest {
  what: string
  /** The tables that are read. */
  table: string
  at?: At
  /** Whether it reads the log first. */
  fresh?: boolean
  /** Whether it never reads the log, and shows what the process sees. */
  stale?: boolean
  /**
   * The oldest and the newest version that were the present when it was made. Default: found out.
   */
  present?: { from: number; to: number }
  /** Whether what it shows is held for it. */
  held?: boolean
  /** Whether it reads single keys of the present; see `Read.growing`. */
  single?: boolean
  /** The version that it can't see beyond: that of its snapshot. */
  bound?: number
  /** Codes of errors that it may end in besides those that faults explain. */
  allowed?: readonly string[]
}

/** A read that is under way. */
export class RecordedRead {
  readonly #session: Session
  readonly #request: ReadRequest
  /** The oldest version that may be the present when it is made. */
  readonly from: number
  readonly #timeline: number | undefined
  /** The newest version that was certainly known to the log when it was made. */
  readonly #known: number
  #to: number | undefined

  constructor(session: Session, request: ReadRequest) {
    const { host, history, db } = session
    this.#session = session
    this.#request = request
    this.#timeline = host.buffers ? history.losses.length : undefined
    const seen = host.see(db)
    this.#known = Math.max(seen, history.acknowledged)
    if (request.present !== undefined) {
      this.from = request.present.from
      this.#to = request.present.to
    } else if (request.stale === true) this.from = seen
    else if (request.fresh === true) this.from = Math.max(seen, history.acknowledged)
    else this.from = Math.max(seen, host.simulation.freshEnough(host))
  }

  /** The newest version that it may show; fixed once `hold` was called. */
  get to(): number {
    return this.#to ?? this.#session.db.version
  }

  /** Called when the read shows no later version than this process has seen by now. */
  hold(): void {
    this.#to ??= this.#session.db.version
  }

  end(seen: Seen): void {
    this.hold()
    const { history, name } = this.#session
    const { what, at, bound } = this.#request
    const [from, timeline] = [this.from, this.#timeline]
    const growing = this.#request.single === true && timeline !== undefined
    history.read({ process: name, what, from, to: this.to, at, bound, timeline, growing, seen })
    this.#session.host.simulation.world.note(`${name}: ${what} gave ${JSON.stringify(seen)}`)
  }

  /** Checks that the read may fail with this error. */
  fail(error: unknown): void {
    const { host, name } = this.#session
    const { what, table, at, allowed: own = [] } = this.#request
    const isPast = at !== undefined || this.#to !== undefined
    // A moment that nothing holds may be gone when it is requested.
    const expires = host.losesFiles || (isPast && this.#request.held !== true)
    const allowed = [...own]
    if (expires && table !== ETERNAL) allowed.push('FIRN_SNAPSHOT_EXPIRED')
    if (isToCome(at, this.#known)) allowed.push('FIRN_VERSION_NOT_FOUND')
    const code = this.#session.expect(error, `${what} of ${table}`, allowed)
    host.simulation.world.note(`${name}: ${what} failed with ${code}`)
  }
}
