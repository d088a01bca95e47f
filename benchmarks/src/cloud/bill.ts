import type { Prices } from '../../../packages/engine/dist/index.js'
import type { S3Operation } from './operations.js'

export interface OperationCount {
  requests: number
  /** Those that were answered with a status of 400 or more. They are charged as any. */
  refused: number
  /** Bytes of bodies: to the service, and from it. */
  bytesSent: number
  bytesReceived: number
}

/** What a service was asked for, by operation. */
export interface Counts {
  s3: Partial<Record<S3Operation, OperationCount>>
  dynamodb: Partial<Record<string, OperationCount>>
  writeUnits: number
  readUnits: number
}

/** S3's two price classes; what is in neither is free. */
const WRITES: ReadonlySet<string> = new Set<S3Operation>([
  'PUT',
  'COPY',
  'LIST',
  'multipart start',
  'multipart part',
  'multipart end',
])
const READS: ReadonlySet<string> = new Set<S3Operation>(['GET', 'HEAD'])

export function dollars(counts: Counts, { s3, dynamodb }: Prices): number {
  let sum =
    (counts.writeUnits * dynamodb.millionWriteUnits +
      counts.readUnits * dynamodb.millionReadUnits) /
    1e6
  for (const [operation, { requests }] of Object.entries(counts.s3)) {
    if (WRITES.has(operation)) sum += (requests * s3.thousandWrites) / 1000
    else if (READS.has(operation)) sum += (requests * s3.thousandReads) / 1000
  }
  return sum
}

export function totalOf(counts: Counts, field: keyof OperationCount): number {
  const all = [...Object.values(counts.s3), ...Object.values(counts.dynamodb)]
  return all.reduce((sum, one) => sum + (one?.[field] ?? 0), 0)
}

/** What was asked from `before` to `after`. */
export function countsBetween(before: Counts, after: Counts): Counts {
  return {
    s3: difference(before.s3, after.s3),
    dynamodb: difference(before.dynamodb, after.dynamodb),
    writeUnits: after.writeUnits - before.writeUnits,
    readUnits: after.readUnits - before.readUnits,
  }
}

type ByOperation = Partial<Record<string, OperationCount>>

function difference(before: ByOperation, after: ByOperation): ByOperation {
  const result: ByOperation = {}
  for (const [operation, count] of Object.entries(after)) {
    const old = before[operation]
    if (count === undefined || count.requests === (old?.requests ?? 0)) continue
    result[operation] = {
      requests: count.requests - (old?.requests ?? 0),
      refused: count.refused - (old?.refused ?? 0),
      bytesSent: count.bytesSent - (old?.bytesSent ?? 0),
      bytesReceived: count.bytesReceived - (old?.bytesReceived ?? 0),
    }
  }
  return result
}
