// The names of a log's objects. Each holds its database's incarnation: a database that is deleted
// and created again under the same name shares no object with the old one. FORMAT.md, "Object
// keys".

/** The prefix of the entries of an object-store log. */
export function logPrefix(incarnation: string): string {
  return `log/${incarnation}/`
}

export function logEntryKey(incarnation: string, version: number): string {
  return logPrefix(incarnation) + digits(version)
}

/** The prefix of payloads that are too large for the log's entries. */
export function spillPrefix(incarnation: string): string {
  return `spill/${incarnation}/`
}

export function spillKey(incarnation: string, version: number, token: string): string {
  return `${spillPrefix(incarnation)}${digits(version)}-${token}`
}

export function leaseKey(incarnation: string, name: string): string {
  return `leases/${incarnation}/${name}`
}

/** The number that follows a key's prefix; `undefined` for another key. */
export function versionOfKey(key: string, prefix: string): number | undefined {
  const match = /^(\d{20})/.exec(key.slice(prefix.length))
  const version = match === null ? Number.NaN : Number(match[1])
  return Number.isSafeInteger(version) ? version : undefined
}

function digits(version: number): string {
  return String(version).padStart(20, '0')
}
