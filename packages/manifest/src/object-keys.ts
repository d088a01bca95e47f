// The names of a database's objects. All but the root's contain the incarnation, so a database that
// is deleted and created again shares no other name with the old one. FORMAT.md, "Object keys".

/** The root descriptor: a prefix with this object is a database. */
export const ROOT_KEY = 'FIRN'

/** Prefix of the keys of SSTs. */
export function sstPrefix(incarnation: string): string {
  return `sst/${incarnation}/`
}

export function sstKey(incarnation: string, fileId: string): string {
  return `${sstPrefix(incarnation)}${fileId}.sst`
}

export function checkpointPrefix(incarnation: string): string {
  return `checkpoints/${incarnation}/`
}

const NEWEST_FIRST = 10n ** 20n - 1n

/** Versions count down in this key, so that the newest checkpoint is listed first. */
export function checkpointKey(incarnation: string, version: number, id: string): string {
  const order = (NEWEST_FIRST - BigInt(version)).toString().padStart(20, '0')
  return `${checkpointPrefix(incarnation)}${order}-${id}`
}

/** The version in a checkpoint's key; `undefined` for any other key. */
export function checkpointVersion(key: string): number | undefined {
  const match = /\/(\d{20})-[0-9A-Z]{26}$/.exec(key)
  if (match === null) return undefined
  const version = Number(NEWEST_FIRST - BigInt(match[1] as string))
  return Number.isSafeInteger(version) ? version : undefined
}

/**
 * Key of an object that marks that a log outside the store has entries. If that log then appears
 * empty, it is known to be missing.
 */
export function begunKey(incarnation: string): string {
  return `begun/${incarnation}`
}
