/** What a request to S3 is: the names of its price list, as far as they are needed. */
export type S3Operation =
  | 'GET'
  | 'HEAD'
  | 'LIST'
  | 'PUT'
  | 'COPY'
  | 'multipart start'
  | 'multipart part'
  | 'multipart end'
  | 'multipart abort'
  | 'DELETE'

/** DynamoDB's own names: `PutItem`, `Query`, …. */
export type DynamoDbOperation = string

/**
 * What a request with the bucket in its path asks S3 for. `url` is the path with the query;
 * `isCopy` where it names another object as its source.
 */
export function s3Operation(method: string, url: string, isCopy: boolean): S3Operation {
  const { pathname, searchParams: query } = new URL(url, 'http://s3')
  const hasKey = /^\/[^/]+\/./.test(pathname)
  switch (method) {
    case 'HEAD':
      return 'HEAD'
    case 'GET':
      return hasKey && !query.has('uploadId') ? 'GET' : 'LIST'
    case 'PUT':
      if (query.has('partNumber')) return 'multipart part'
      return isCopy ? 'COPY' : 'PUT'
    case 'POST':
      if (query.has('uploads')) return 'multipart start'
      return query.has('uploadId') ? 'multipart end' : 'DELETE'
    case 'DELETE':
      return query.has('uploadId') ? 'multipart abort' : 'DELETE'
    default:
      throw new Error(`${method} is no method of S3's`)
  }
}

/** `DynamoDB_20120810.PutItem` is `PutItem`. */
export function dynamoDbOperation(target: string | undefined): DynamoDbOperation {
  const name = target?.split('.')[1]
  if (name === undefined) throw new Error(`${target} names no operation of DynamoDB's`)
  return name
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'LIST', 'GetItem', 'Query', 'Scan'])

/** Whether an operation of either service leaves everything as it is. */
export function isRead(operation: S3Operation | DynamoDbOperation): boolean {
  return READS.has(operation)
}
