import { InvalidArgumentError } from '@firn/env'

/** A location, taken apart. */
export type Location =
  | { kind: 'memory'; name: string | undefined }
  | { kind: 'file'; directory: string; log: 'file' | 'objects' }

const FORMS =
  "'memory:', 'memory:name', 'file:./directory', 'file:./directory?log=objects' or, with parts of your own, { store, log }"

/** Reads a location URL. Throws `InvalidArgumentError` for one that names no database. */
export function parseLocation(location: string): Location {
  const match = /^([a-z][a-z0-9+.-]*):([^?#]*)(?:\?(.*))?$/i.exec(location)
  if (match === null) {
    throw new InvalidArgumentError(
      `not a location: ${JSON.stringify(location)}; use ${FORMS}. For a directory, put 'file:' in front of its path`,
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
    default:
      throw new InvalidArgumentError(
        `no store for ${JSON.stringify(`${scheme}:`)} is installed with this package; use ${FORMS}`,
      )
  }
}

/** `file:./data`, `file:data`, `file:/var/data` and `file:///var/data`. */
function directoryOf(path: string, location: string): string {
  const bare = path.startsWith('//') ? path.replace(/^\/\/(localhost)?(?=\/)/, '') : path
  const invalid = (why: string): InvalidArgumentError =>
    new InvalidArgumentError(`${why} in the location ${JSON.stringify(location)}`)
  if (bare === '') throw invalid('the directory is missing')
  if (bare.startsWith('//')) throw invalid('only this machine’s files can be opened: a host name')
  let directory: string
  try {
    directory = decodeURIComponent(bare)
  } catch {
    throw invalid('a % without two hexadecimal digits (write % itself as %25)')
  }
  if (directory.includes('\0')) throw invalid('a NUL character')
  return directory
}

function allowOnly(parameters: URLSearchParams, allowed: string[], location: string): void {
  for (const name of parameters.keys()) {
    if (!allowed.includes(name)) {
      throw new InvalidArgumentError(
        `unknown parameter ${JSON.stringify(name)} in the location ${JSON.stringify(location)}`,
      )
    }
  }
}
