import type { RequestCounts, RequestMeter } from '@firn/object-store'

/** Requests to a commit log that is a separate service. */
export interface LogRequestStats {
  readonly kinds: Readonly<Record<LogRequestKind, Readonly<RequestCounts>>>
  /** DynamoDB's units: 1 KiB written, 4 KiB read. */
  readonly writeUnits: number
  readonly readUnits: number
}

export type LogRequestKind = 'put' | 'get' | 'query' | 'update'

/**
 * Requests of a database to its services. `requests`, `errors` and bytes cover both the store and
 * the log; `kinds` covers the store only.
 */
export interface RequestStats extends RequestMeter {
  /** Present if the log is a separate service. */
  readonly log?: LogRequestStats
  /** Computed with the prices that the database was opened with; 0 if requests are free. */
  readonly dollars: number
}

/** The result of one piece of work, with its requests and duration. */
export interface Explanation<T> {
  readonly value: T
  readonly requests: RequestStats
  readonly durationMs: number
}

/** Returns the requests made between two readings. */
export function requestsBetween(before: RequestStats, after: RequestStats): RequestStats {
  const kinds = difference(before.kinds, after.kinds)
  return {
    kinds,
    requests: after.requests - before.requests,
    errors: after.errors - before.errors,
    bytesRead: after.bytesRead - before.bytesRead,
    bytesWritten: after.bytesWritten - before.bytesWritten,
    keysDeleted: after.keysDeleted - before.keysDeleted,
    // Rounds away the error of subtracting sums of doubles; it is less than a millionth of a
    // request.
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
