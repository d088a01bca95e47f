import { InvalidArgumentError } from '@firn/env'

/** A parsed location. */
export type Location =
  | { kind: 'memory'; name: string | undefined }
  | { kind: 'file'; directory: string; log: 'file' | 'objects' }
  | { kind: 's3'; bucket: string; prefix: string; log: S3Log }

/** The place of the commit log of a database in S3: a DynamoDB table, or S3 itself. */
type S3Log = { kind: 'dynamodb'; table: string } | { kind: 'objects' }

/** The DynamoDB table if a location names none. */
const DEFAULT_TABLE = 'firn'

const FORMS =
  "'memory:', 'memory:name', 'file:./directory', 'file:./directory?log=objects', 's3://bucket/prefix?log=dynamodb:TABLE', 's3://bucket/prefix?log=objects' or, with parts of your own, { store, log }"

/** Parses a location URL. Throws `InvalidArgumentError` if it names no database. */
export function parseLocation(location: string): Location {
  if (typeof location !== 'string') {
    throw new InvalidArgumentError(`a location is text, such as 'file:./directory'; use ${FORMS}`)
  }
  const match = /^([a-z][a-z0-9+.-]*):([^?#]*)(?:\?(.*))?$/i.exec(location)
  if (match === null) {
    throw new InvalidArgumentError(
      `not a location: ${shown(location)}; use ${FORMS}. For a directory, put 'file:' in front of its path`,
    )
  }
  const [, scheme = '', path = '', query = ''] = match
  const parameters = new URLSearchParams(query)
  switch (scheme.toLowerCase()) {
    case 'memory':
      allowOnly(parameters, [], location)
      return { kind: 'memory', name: path === '' ? undefined : path }
    case 'file': {
      allowOnly(parameters, ['log'], location)
      const log = parameters.get('log') ?? 'file'
      if (log !== 'file' && log !== 'objects') {
        throw new InvalidArgumentError(
          `unknown log ${JSON.stringify(log)} for a file: location; leave it out (one writing process) or use ?log=objects (many)`,
        )
      }
      return { kind: 'file', directory: directoryOf(path, location), log }
    }
    case 's3':
      allowOnly(parameters, ['log'], location)
      return {
        kind: 's3',
        ...bucketOf(path, location),
        log: s3LogOf(parameters.get('log'), location),
      }
    default:
      throw new InvalidArgumentError(
        `no store for ${JSON.stringify(`${scheme}:`)} is installed with this package; use ${FORMS}`,
      )
  }
}

/** Parses `file:./data`, `file:data`, `file:/var/data` and `file:///var/data`. */
function directoryOf(path: string, location: string): string {
  const bare = path.startsWith('//') ? path.replace(/^\/\/(localhost)?(?=\/)/, '') : path
  const invalid = (why: string): InvalidArgumentError =>
    new InvalidArgumentError(`${why} in the location ${shown(location)}`)
  if (bare === '') throw invalid('the directory is missing')
  if (bare.startsWith('//')) {
    throw invalid(
      'only this machine’s files can be opened (file:./directory, file:///absolute/directory): a host name',
    )
  }
  let directory: string
  try {
    directory = decodeURIComponent(bare)
  } catch {
    throw invalid('a % without two hexadecimal digits (write % itself as %25)')
  }
  if (directory.includes('\0')) throw invalid('a NUL character')
  if (/^\/?~(\/|$)/.test(directory)) {
    throw invalid(
      "'~' means your home directory to a shell only; write the path out, or use os.homedir() (a directory of that name is file:./~): a '~'",
    )
  }
  return directory
}

/** Parses `s3://bucket` and `s3://bucket/some/folder`, with or without a '/' at the end. */
function bucketOf(path: string, location: string): { bucket: string; prefix: string } {
  const match = /^\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(path)
  if (match === null) {
    throw new InvalidArgumentError(
      `no bucket in the location ${shown(location)}; write s3://bucket/prefix, with the bucket's name in small letters`,
    )
  }
  const [, bucket = '', rest = ''] = match
  // The lookbehind keeps this linear in the number of slashes, if the text doesn't end in one.
  const prefix = rest.replace(/(?<!\/)\/+$/, '')
  // Allows what an object store takes as keys. No percent encoding, so that a URL reads as the key
  // that it means.
  if (!/^([A-Za-z0-9._=@+-]+(\/[A-Za-z0-9._=@+-]+)*)?$/.test(prefix)) {
    throw new InvalidArgumentError(
      `the prefix in the location ${shown(location)} must be segments of letters, digits and ._=@+- with one / between them`,
    )
  }
  return { bucket, prefix }
}

function s3LogOf(log: string | null, location: string): S3Log {
  if (log === null || log === 'dynamodb') return { kind: 'dynamodb', table: DEFAULT_TABLE }
  if (log === 'objects') return { kind: 'objects' }
  const table = /^dynamodb:([A-Za-z0-9_.-]{3,255})$/.exec(log)?.[1]
  if (table !== undefined) return { kind: 'dynamodb', table }
  throw new InvalidArgumentError(
    `unknown log ${JSON.stringify(log)} in the location ${shown(location)}; use ?log=dynamodb:TABLE (the name of a DynamoDB table) or ?log=objects (S3 alone)`,
  )
}

function allowOnly(parameters: URLSearchParams, allowed: string[], location: string): void {
  for (const name of parameters.keys()) {
    if (!allowed.includes(name)) {
      throw new InvalidArgumentError(
        `unknown parameter ${JSON.stringify(name)} in the location ${shown(location)}`,
      )
    }
  }
}

/** Formats a location for messages, without credentials and parameters. */
export function shown(location: string): string {
  return JSON.stringify(location.replace(/\/\/[^/?#]*@/, '//').replace(/\?.*$/s, ''))
}
