import type { RunReport } from '../run-seed.js'

/** A worker's message about a run: the parts of its report that can be sent and stay small. */
export interface SeedResult extends Pick<RunReport, 'seed' | 'hash' | 'events'> {
  operations: ReadonlyMap<string, number>
  faults: ReadonlyMap<string, number>
  /** The failure, with the stack of its cause. */
  failure: string | undefined
}

export function resultOf({ decisions, failure, ...report }: RunReport): SeedResult {
  return { ...report, failure: failure === undefined ? undefined : inWords(failure) }
}

function inWords({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}\n${cause.stack}` : message
}
