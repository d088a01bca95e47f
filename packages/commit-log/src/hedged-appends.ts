import { type Env, isFirnError } from '@firn/env'
import type { AppendResult, LogEntry, NewLogEntry } from './commit-log.js'
import { AmbiguousAppendError } from './errors.js'
import { Hedge } from './hedge.js'

/** What a log does for one append. `R` is what its service says of a refusal. */
export interface AppendRequests<R> {
  /**
   * Asks once for the entry to be created. Throws `AmbiguousAppendError` unless it certainly
   * wasn't.
   */
  put: (signal: AbortSignal) => Promise<{ appended: true } | { refusal: R }>
  /** The entry that has the version; `undefined` where none has. */
  look: (signal: AbortSignal) => Promise<LogEntry | undefined>
  /** The entry that was in the way. */
  readWinner: (refusal: R) => Promise<LogEntry>
}

/**
 * The appends of one log, some of whose answers are late. For one that is late:
 *
 * 1. The entry is looked for. If it is this append's own, by its token, it is committed; if it is
 *    another's, the append is lost, for good.
 * 2. If there is none, nothing is decided: the request may arrive yet. The same entry is asked for
 *    again, which is harmless, as a version is created once.
 */
export class HedgedAppends {
  readonly #hedge: Hedge

  constructor(env: Env) {
    this.#hedge = new Hedge(env)
  }

  /** What came of an append, as `CommitLog.append` has it. */
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
      // What is certain of one put isn't of another, or of one that was given up.
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
