/** The kind of a record. Persisted in logs and SSTs: numbers never change meaning. */
export const KIND_DELETE = 0
export const KIND_PUT = 1
/** An operand for the table's merge operator. */
export const KIND_MERGE = 2
/** The highest kind that this release knows. */
export const MAX_KIND = 2

export type RecordKind = number

/**
 * Timestamps are microseconds since the Unix epoch in a JS number, strictly increasing along the
 * commit log, from 0 to `MAX_TIMESTAMP`. A read at `MAX_TIMESTAMP` sees the newest versions.
 */
export const MAX_TIMESTAMP: number = Number.MAX_SAFE_INTEGER
