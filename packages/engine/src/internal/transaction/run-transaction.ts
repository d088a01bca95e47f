import { type Env, type FirnError, isFirnError, waitFor } from '@firn/env'
import { TransactionConflictError } from '../../errors.js'
import type { Transaction } from '../../transaction.js'
import type { TakenTransactionOptions } from '../arguments/database-options.js'
import type { Hold } from '../commit/write-hold.js'
import type { TransactionHandle } from './transaction-handle.js'

// The pause after an attempt has a random length up to this, which doubles each time.
const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 250
/** After this many attempts, the process makes no other write while the transaction runs. */
const ATTEMPTS_BESIDE_OTHERS = 5

export interface TransactionRunner {
  env: Env
  /** Begins a transaction on the newest version that this process knows. */
  begin(signal: AbortSignal | undefined): Promise<TransactionHandle>
  /** Reads the log up to its end. */
  refresh(signal: AbortSignal | undefined): Promise<void>
  /** Holds up other writes of this process, if it can write. */
  holdWrites(signal: AbortSignal | undefined): Promise<Hold | undefined>
}

/** The function's result if its writes were committed; otherwise the reason why not. */
type Outcome<T> = { value: T } | { refusal: FirnError }

type Run<T> = (transaction: Transaction) => Promise<T> | T

/**
 * Runs a transaction until it commits, or until all its attempts have lost to other writes. After
 * several lost attempts, it holds up the other writes of its process for a bounded time. If that
 * time runs out, it doesn't hold them up again: the function may be waiting for a write of its own.
 */
export async function runTransaction<T>(
  runner: TransactionRunner,
  run: Run<T>,
  options: TakenTransactionOptions,
): Promise<T> {
  const { attempts, signal } = options
  let mayHold = true
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    const isHeld = mayHold && attempt > ATTEMPTS_BESIDE_OTHERS
    const hold = isHeld ? await runner.holdWrites(signal) : undefined
    let outcome: Outcome<T>
    try {
      const transaction = await runner.begin(signal)
      outcome = await runOnce(transaction, run, options, isHeld).finally(() => transaction.close())
    } finally {
      hold?.release()
    }
    if (hold?.expired === true) mayHold = false
    if ('value' in outcome) return outcome.value
    const { refusal } = outcome
    if (attempt >= attempts) throw new TransactionConflictError(attempts, refusal)
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
    await runner.env.sleep(runner.env.random() * pauseMs, signal)
    // After most refusals, this process knows what others committed; it doesn't know if they
    // removed a file.
    if (isFirnError(refusal.cause, 'FIRN_OBJECT_NOT_FOUND')) await runner.refresh(signal)
  }
}

async function runOnce<T>(
  transaction: TransactionHandle,
  run: Run<T>,
  options: TakenTransactionOptions,
  holdsWrites: boolean,
): Promise<Outcome<T>> {
  let value: T
  try {
    // On abort, doesn't wait for the function: its next use of the transaction finds it ended.
    value = await waitFor((async () => run(transaction))(), options.signal)
  } catch (error) {
    if (isFirnError(error, 'FIRN_SNAPSHOT_EXPIRED')) return { refusal: error }
    throw error
  }
  try {
    await transaction.commit(options, holdsWrites)
    return { value }
  } catch (error) {
    if (isFirnError(error, 'FIRN_COMMIT_CONFLICT')) return { refusal: error }
    throw error
  }
}
