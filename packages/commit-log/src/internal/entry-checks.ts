import { assertUlid, InvalidArgumentError, isUint8Array } from '@firn/env'
import type { NewLogEntry } from '../commit-log.js'

/** Whether a value can be an entry's timestamp, in microseconds. */
export function isTimestamp(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

/** Checks that every log makes of a new entry before it does anything. */
export function assertNewEntry(entry: NewLogEntry): void {
  const { version, timestamp, token, payload } = entry
  if (!(Number.isSafeInteger(version) && version > 0)) {
    throw new InvalidArgumentError(`an entry's version is a positive safe integer, got ${version}`)
  }
  if (!isTimestamp(timestamp)) {
    throw new InvalidArgumentError(
      `an entry's timestamp is a positive safe integer of microseconds, got ${timestamp}`,
    )
  }
  assertUlid(token, "an entry's token")
  if (!isUint8Array(payload)) {
    throw new InvalidArgumentError(`the payload of entry ${version} is not a Uint8Array`)
  }
}

export function assertVersion(version: number): void {
  if (!(Number.isSafeInteger(version) && version >= 0)) {
    throw new InvalidArgumentError(`a version is a safe integer from 0, got ${version}`)
  }
}

export function assertLimit(limit: number | undefined): void {
  if (limit !== undefined && !(limit >= 0)) {
    throw new InvalidArgumentError(`a limit is a number from 0, got ${limit}`)
  }
}

/** The error for an entry that doesn't follow an existing one. */
export function outOfTurn(version: number, last: number): InvalidArgumentError {
  return new InvalidArgumentError(
    `entry ${version} can't be appended: the log ends at version ${last}; read up to its end first`,
  )
}
