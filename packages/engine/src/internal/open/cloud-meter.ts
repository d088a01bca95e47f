import type { DynamoDbRequest } from '@firn/manifest-dynamodb'
import type { RequestCounts, RequestKind } from '@firn/object-store'
import type { S3Request } from '@firn/object-store-s3'
import type { Prices } from '../../prices.js'
import type { LogRequestKind, RequestStats } from '../../request-stats.js'

const KINDS: Readonly<Record<S3Request['kind'], RequestKind>> = {
  get: 'get',
  head: 'head',
  put: 'put',
  delete: 'delete',
  list: 'list',
  'create-multipart': 'uploadStart',
  'upload-part': 'uploadWrite',
  'complete-multipart': 'uploadFinish',
  'abort-multipart': 'uploadAbort',
}

const FREE: ReadonlySet<RequestKind> = new Set<RequestKind>(['delete', 'uploadAbort'])
const READS: ReadonlySet<RequestKind> = new Set<RequestKind>(['get', 'head'])

/** Counts the HTTP requests to S3 and DynamoDB, failed attempts included, and their cost. */
export class CloudMeter {
  readonly #prices: Prices
  readonly #store: Record<RequestKind, RequestCounts> = noneOf(Object.values(KINDS))
  readonly #log: Record<LogRequestKind, RequestCounts> = noneOf(['put', 'get', 'query', 'update'])
  readonly #countsLog: boolean
  #bytesRead = 0
  #bytesWritten = 0
  #writeUnits = 0
  #readUnits = 0

  constructor(prices: Prices, options: { countsLog: boolean }) {
    this.#prices = prices
    this.#countsLog = options.countsLog
  }

  readonly s3 = (request: S3Request): void => {
    count(this.#store[KINDS[request.kind]], request.failed)
    this.#bytesWritten += request.bytesSent
    this.#bytesRead += request.bytesReceived
  }

  readonly dynamodb = (request: DynamoDbRequest): void => {
    const { kind } = request
    // Users create tables by hand.
    if (kind === 'create-table' || kind === 'describe-table') return
    count(this.#log[kind], request.outcome === 'failed')
    this.#bytesWritten += request.bytesWritten
    this.#bytesRead += request.bytesRead
    this.#writeUnits += request.writeUnits
    this.#readUnits += request.readUnits
  }

  /** The caller passes `keysDeleted`, because one delete request names many keys. */
  snapshot(keysDeleted: number): RequestStats {
    const all = [...Object.values(this.#store), ...Object.values(this.#log)]
    return {
      kinds: copyOf(this.#store),
      requests: all.reduce((sum, { requests }) => sum + requests, 0),
      errors: all.reduce((sum, { errors }) => sum + errors, 0),
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      keysDeleted,
      ...(this.#countsLog && {
        log: {
          kinds: copyOf(this.#log),
          writeUnits: this.#writeUnits,
          readUnits: this.#readUnits,
        },
      }),
      dollars: this.#dollars(),
    }
  }

  #dollars(): number {
    const { s3, dynamodb } = this.#prices
    let dollars =
      (this.#writeUnits * dynamodb.millionWriteUnits +
        this.#readUnits * dynamodb.millionReadUnits) /
      1e6
    for (const [kind, { requests }] of Object.entries(this.#store) as [
      RequestKind,
      RequestCounts,
    ][]) {
      if (FREE.has(kind)) continue
      dollars += (requests * (READS.has(kind) ? s3.thousandReads : s3.thousandWrites)) / 1000
    }
    return dollars
  }
}

function noneOf<K extends string>(kinds: readonly K[]): Record<K, RequestCounts> {
  const entries = kinds.map((kind) => [kind, { requests: 0, errors: 0 }])
  return Object.fromEntries(entries) as Record<K, RequestCounts>
}

function count(counts: RequestCounts, failed: boolean): void {
  counts.requests++
  if (failed) counts.errors++
}

function copyOf<K extends string>(counts: Record<K, RequestCounts>): Record<K, RequestCounts> {
  const entries = (Object.entries(counts) as [K, RequestCounts][]).map(([kind, each]) => [
    kind,
    { ...each },
  ])
  return Object.fromEntries(entries) as Record<K, RequestCounts>
}
