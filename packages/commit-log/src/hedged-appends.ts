import { type Env, isFirnError } from '@firn/env'
import type { AppendResult, LogEntry, NewLogEntry } from './commit-log.js'
import { AmbiguousAppendError } from './errors.js'
import { Hedge } from './hedge.js'

/** The requests of one append. `R` is what the service reports when it refuses. */
export interface AppendRequests<R> {
  /**
   * Sends one request to create the entry. Throws `AmbiguousAppendError` unless the entry was
   * certainly not created.
   */
  put: (signal: AbortSignal) => Promise<{ appended: true } | { refusal: R }>
  /** Reads the entry that has the version; `undefined` if there is none. */
  look: (signal: AbortSignal) => Promise<LogEntry | undefined>
  /** Reads the entry that was in the way. */
  readWinner: (refusal: R) => Promise<LogEntry>
}

/**
 * Hedges the appends of one log. For an append whose answer is late:
 *
 * 1. Look for the entry. If it is this append's own, by its token, it is committed. If it is
 *    another's, the append is lost for good.
 * 2. If there is no entry, nothing is decided: the request may still arrive. Ask for the same entry
 *    again, which is harmless, as a version is created once.
 */
export class HedgedAppends {
  readonly #hedge: Hedge

  constructor(env: Env) {
    this.#hedge = new Hedge(env)
  }

  /** Appends the entry; returns what `CommitLog.append` returns. */
  async append<R>(
    entry: NewLogEntry,
    { put, look, readWinner }: AppendRequests<R>,
    caller: AbortSignal | undefined,
  ): Promise<AppendResult> {
    let puts = 0
    const putOnce = (signal: AbortSignal): Promise<AppendResult | { refusal: R }> => {
      puts++
      return put(signal)
    }
    const lookOnce = async (signal: AbortSignal): Promise<AppendResult | undefined> => {
      const found = await look(signal)
      return found && resultOf(found, entry)
    }
    let outcome: AppendResult | { refusal: R }
    try {
      outcome = await this.#hedge.run({
        request: putOnce,
        further: (number, signal) => (number % 2 === 1 ? lookOnce(signal) : putOnce(signal)),
        signal: caller,
      })
    } catch (error) {
      // The error is certain for its own put only, not for another one or one given up.
      const isCertain = puts === 1 && caller?.aborted !== true
      if (isCertain || isFirnError(error, 'FIRN_AMBIGUOUS_APPEND')) throw error
      throw new AmbiguousAppendError(entry, error)
    }
    if (!('refusal' in outcome)) return outcome
    const winner = await readWinner(outcome.refusal)
    return puts > 1 ? resultOf(winner, entry) : { appended: false, winner }
  }
}

function resultOf(found: LogEntry, entry: NewLogEntry): AppendResult {
  return found.token === entry.token ? { appended: true } : { appended: false, winner: found }
}
