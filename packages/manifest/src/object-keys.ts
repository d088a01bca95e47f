// The names of a database's objects. Each but the root's holds the incarnation: a database that is
// deleted and made again under its name shares none with the old one. FORMAT.md, "Object keys".

/** The root descriptor: what makes a prefix a database. */
export const ROOT_KEY = 'FIRN'

/** Where SSTs are. */
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

/** Counts down, so that the newest checkpoint is listed first. */
export function checkpointKey(incarnation: string, version: number, id: string): string {
  const order = (NEWEST_FIRST - BigInt(version)).toString().padStart(20, '0')
  return `${checkpointPrefix(incarnation)}${order}-${id}`
}

/** The version in a checkpoint's key, or `undefined` for another key. */
export function checkpointVersion(key: string): number | undefined {
  const match = /\/(\d{20})-[0-9A-Z]{26}$/.exec(key)
  if (match === null) return undefined
  const version = Number(NEWEST_FIRST - BigInt(match[1] as string))
  return Number.isSafeInteger(version) ? version : undefined
}

/**
 * Stands where a log that isn't in the store has begun: so it is missed where it can't be found.
 */
export function begunKey(incarnation: string): string {
  return `begun/${incarnation}`
}
