import { type Env, isUlid, ulid } from '@firn/env'

const FILE_ID = /^(\d{1,20})-([0-9A-Z]{26})$/

/** The version in a file's name (`<base version>-<ulid>`); `undefined` for any other name. */
export function fileBaseVersion(id: string): number | undefined {
  const match = FILE_ID.exec(id)
  if (match === null || !isUlid(match[2] as string)) return undefined
  const version = Number(match[1])
  return Number.isSafeInteger(version) ? version : undefined
}

/** Returns a new file's name. `baseVersion` is the newest version that its writer has seen. */
export function newFileId(baseVersion: number, env: Env): string {
  return `${baseVersion}-${ulid(env)}`
}
