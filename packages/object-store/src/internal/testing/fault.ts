import { type Env, InvalidArgumentError } from '@firn/env'

export const FAULT_KINDS = [
  /** The request never arrives: an error, and nothing was done. */
  'error-before',
  /** The request is done and its reply is lost: an error. */
  'lost-reply',
  /** An error now; the request is done `delayMs` later. Writes and deletes; else 'error-before'. */
  'late-apply',
  /** 503 SlowDown: an error that says so, and nothing was done. */
  'throttle',
  /** No answer until the signal aborts, and nothing was done. */
  'hang',
  /** A read answers with fewer bytes than it says. */
  'short-reply',
  /** A read answers with more bytes than it says. */
  'long-reply',
  /** A read answers with bytes of another object. */
  'other-object',
  /** A read answers with one bit flipped; a write stores one bit flipped. */
  'bit-flip',
  /** A read answers as if the object ended early, consistently; a write stores it so. */
  'truncate',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export interface Fault {
  kind: FaultKind
  /** For 'late-apply': how much later, by the store's `Env`. Default 100. */
  delayMs?: number
}

export type FaultOperation =
  | 'get'
  | 'head'
  | 'put'
  | 'delete'
  | 'list'
  | 'upload'
  | 'uploadWrite'
  | 'uploadFinish'

/** A call on its way to the store. */
export interface FaultCall {
  operation: FaultOperation
  /** The key; of a delete the first, of a list the prefix. */
  key: string
}

/** Decides which fault, if any, meets a call. Asked once per call, in their order. */
export type FaultSchedule = (call: FaultCall) => Fault | undefined

export interface PlannedFault extends Partial<FaultCall>, Fault {
  /** How many matching calls go through before. Default 0. */
  after?: number
  /** How many matching calls it meets then. Default 1. */
  times?: number
}

/** Faults as listed: the first that matches a call and is due meets it. `key` matches a prefix. */
export function plannedFaults(...plan: PlannedFault[]): FaultSchedule {
  const pending = plan.map((fault) => ({
    fault,
    after: fault.after ?? 0,
    times: fault.times ?? 1,
  }))
  return (call) => {
    for (const entry of pending) {
      const { fault } = entry
      if (fault.operation !== undefined && fault.operation !== call.operation) continue
      if (fault.key !== undefined && !call.key.startsWith(fault.key)) continue
      if (entry.times === 0) continue
      if (entry.after > 0) {
        entry.after--
        continue
      }
      entry.times--
      return fault
    }
    return undefined
  }
}

/** Faults by chance: each kind with its probability per call, from the `Env`'s seed. */
export function seededFaults(
  env: Env,
  rates: Readonly<Partial<Record<FaultKind, number>>>,
): FaultSchedule {
  const entries = Object.entries(rates) as [FaultKind, number][]
  const total = entries.reduce((sum, [, rate]) => sum + rate, 0)
  if (!entries.every(([, rate]) => rate >= 0) || total > 1) {
    throw new InvalidArgumentError('fault rates are probabilities, together at most 1')
  }
  return () => {
    let drawn = env.random()
    for (const [kind, rate] of entries) {
      if (drawn < rate) return { kind }
      drawn -= rate
    }
    return undefined
  }
}
