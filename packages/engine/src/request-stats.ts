import type { RequestCounts, RequestMeter } from '@firn/object-store'

/** Requests to a commit log that is a service of its own. */
export interface LogRequestStats {
  readonly kinds: Readonly<Record<LogRequestKind, Readonly<RequestCounts>>>
  /** DynamoDB's units: 1 KiB written, 4 KiB read. */
  readonly writeUnits: number
  readonly readUnits: number
}

export type LogRequestKind = 'put' | 'get' | 'query' | 'update'

/**
 * What a database asked of its services: `requests`, `errors` and bytes of both the store and the
 * log, `kinds` those of the store.
 */
export interface RequestStats extends RequestMeter {
  /** Where the log is a service of its own. */
  readonly log?: LogRequestStats
  /** By the prices the database was opened with; 0 where nobody charges. */
  readonly dollars: number
}

/** What one piece of work took. */
export interface Explanation<T> {
  readonly value: T
  readonly requests: RequestStats
  readonly durationMs: number
}

/** What was asked from `before` to `after`. */
export function requestsBetween(before: RequestStats, after: RequestStats): RequestStats {
  const kinds = difference(before.kinds, after.kinds)
  return {
    kinds,
    requests: after.requests - before.requests,
    errors: after.errors - before.errors,
    bytesRead: after.bytesRead - before.bytesRead,
    bytesWritten: after.bytesWritten - before.bytesWritten,
    keysDeleted: after.keysDeleted - before.keysDeleted,
    // What the difference of two sums of doubles adds is less than a millionth of a request.
    dollars: Math.round((after.dollars - before.dollars) * 1e13) / 1e13,
    ...(before.log !== undefined &&
      after.log !== undefined && {
        log: {
          kinds: difference(before.log.kinds, after.log.kinds),
          writeUnits: after.log.writeUnits - before.log.writeUnits,
          readUnits: after.log.readUnits - before.log.readUnits,
        },
      }),
  }
}

type Counts<K extends string> = Readonly<Record<K, Readonly<RequestCounts>>>

function difference<K extends string>(before: Counts<K>, after: Counts<K>): Counts<K> {
  const entries = (Object.entries(after) as [K, RequestCounts][]).map(([kind, counts]) => {
    const { requests, errors } = before[kind]
    return [kind, { requests: counts.requests - requests, errors: counts.errors - errors }]
  })
  return Object.fromEntries(entries) as Counts<K>
}
