import { type Env, InvalidArgumentError } from '@firn/env'

export const FAULT_KINDS = [
  /** The request never arrives: an error, and nothing is done. */
  'error-before',
  /** The request is done, but its reply is lost: an error. */
  'lost-reply',
  /** An error, but a write or delete is done `delayMs` later. Other calls: like 'error-before'. */
  'late-apply',
  /** 503 SlowDown: a throttling error, and nothing is done. */
  'throttle',
  /** No answer until the signal aborts, and nothing is done. */
  'hang',
  /** A read returns fewer bytes than it reports. */
  'short-reply',
  /** A read returns more bytes than it reports. */
  'long-reply',
  /** A read returns bytes of another object. */
  'other-object',
  /** A read returns its bytes, or a write stores them, with one bit flipped. */
  'bit-flip',
  /** A read returns a consistent but shortened object; a write stores a shortened object. */
  'truncate',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export interface Fault {
  kind: FaultKind
  /** Delay of 'late-apply', by the store's `Env`. Default 100. */
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
  /** The key; for a delete the first key, for a list the prefix. */
  key: string
}

/** Decides which fault, if any, to inject into a call. Called once per call, in order. */
export type FaultSchedule = (call: FaultCall) => Fault | undefined

export interface PlannedFault extends Partial<FaultCall>, Fault {
  /** Number of matching calls to let through first. Default 0. */
  after?: number
  /** Number of calls to inject the fault into, after that. Default 1. */
  times?: number
}

/** Injects the first listed fault that matches a call and is due. `key` matches as a prefix. */
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

/** Injects faults by chance: each kind with its probability per call, from the `Env`'s seed. */
export function seededFaults(
  env: Env,
  rates: Readonly<Partial<Record<FaultKind, number>>>,
): FaultSchedule {
  const entries = Object.entries(rates) as [FaultKind, number][]
  const total = entries.reduce((sum, [, rate]) => sum + rate, 0)
  if (!entries.every(([, rate]) => rate >= 0) || total > 1) {
    throw new InvalidArgumentError('fault rates must be probabilities that add up to at most 1')
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
