// The names of a log's objects. Each holds the incarnation of its database: one that is deleted and
// made again under its name shares none with the old one. FORMAT.md, "Object keys".

/** Where the entries of an object-store log are. */
export function logPrefix(incarnation: string): string {
  return `log/${incarnation}/`
}

export function logEntryKey(incarnation: string, version: number): string {
  return logPrefix(incarnation) + digits(version)
}

/** Where payloads are that are too large for the log's entries. */
export function spillPrefix(incarnation: string): string {
  return `spill/${incarnation}/`
}

export function spillKey(incarnation: string, version: number, token: string): string {
  return `${spillPrefix(incarnation)}${digits(version)}-${token}`
}

export function leaseKey(incarnation: string, name: string): string {
  return `leases/${incarnation}/${name}`
}

/** The number that ends a key after its prefix, or `undefined` for another key. */
export function versionOfKey(key: string, prefix: string): number | undefined {
  const match = /^(\d{20})/.exec(key.slice(prefix.length))
  const version = match === null ? Number.NaN : Number(match[1])
  return Number.isSafeInteger(version) ? version : undefined
}

function digits(version: number): string {
  return String(version).padStart(20, '0')
}
