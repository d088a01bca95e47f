import type { RunReport } from '../run-seed.js'

/**
 * What a worker tells of a run: of its report, what can be sent and adds up to no more than a few
 * lines.
 */
export interface SeedResult extends Pick<RunReport, 'seed' | 'hash' | 'events'> {
  operations: ReadonlyMap<string, number>
  faults: ReadonlyMap<string, number>
  /** What went wrong, with the stack of its cause. */
  failure: string | undefined
}

export function resultOf({ decisions, failure, ...report }: RunReport): SeedResult {
  return { ...report, failure: failure === undefined ? undefined : inWords(failure) }
}

function inWords({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}\n${cause.stack}` : message
}
