import { equalRanges } from '@firn/bytes'
import { CorruptionError, type Env, InvalidArgumentError, isFirnError, ulid } from '@firn/env'
import type { CallOptions, ObjectStore } from '@firn/object-store'
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-codec.js'
import { checkpointKey, checkpointPrefix, checkpointVersion } from './object-keys.js'
import type { DatabaseState } from './state.js'

// How many checkpoints to try before the log is replayed from its beginning.
const TRIES = 4

/**
 * Writes a checkpoint of a state under a name that is never reused, reads it back and compares it.
 * Only then may an entry announce it: a `checkpoint` edit with the returned version and key.
 */
export async function writeCheckpoint(
  store: ObjectStore,
  state: DatabaseState,
  env: Env,
  options: CallOptions = {},
): Promise<{ version: number; key: string }> {
  if (state.version === 0) throw new InvalidArgumentError('an empty log has nothing to checkpoint')
  const key = checkpointKey(state.incarnation, state.version, ulid(env))
  const bytes = encodeCheckpoint(state)
  await store.put(key, bytes, options)
  const { bytes: stored } = await store.get(key, options)
  if (!equalRanges(stored, 0, stored.length, bytes, 0, bytes.length)) {
    throw new CorruptionError(`${key}: the store returned other bytes than were written`)
  }
  decodeCheckpoint(stored, key)
  return { version: state.version, key }
}

/**
 * Returns the state of the newest readable checkpoint, or `undefined` if there is none. The caller
 * then reads the log from its beginning.
 *
 * A damaged or missing checkpoint is skipped for the one before it. That is safe: if entries after
 * the older one were truncated, they are tombstones, which `applyEntry` refuses. A checkpoint of a
 * newer format isn't skipped, but throws `FormatVersionError`.
 */
export async function readNewestCheckpoint(
  store: ObjectStore,
  incarnation: string,
  options: CallOptions = {},
): Promise<DatabaseState | undefined> {
  const prefix = checkpointPrefix(incarnation)
  for await (const { key } of store.list({ prefix, limit: TRIES, ...options })) {
    try {
      const { bytes } = await store.get(key, options)
      const state = decodeCheckpoint(bytes, key)
      if (state.incarnation === incarnation && state.version === checkpointVersion(key))
        return state
    } catch (error) {
      const passed =
        isFirnError(error, 'FIRN_CORRUPTION') || isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')
      if (!passed) throw error
    }
  }
  return undefined
}

/** Deletes all but the newest `keep` checkpoints (at least 1); returns how many it deleted. */
export async function pruneCheckpoints(
  store: ObjectStore,
  incarnation: string,
  keep: number,
  options: CallOptions = {},
): Promise<number> {
  if (!(keep >= 1)) throw new InvalidArgumentError(`keep at least one checkpoint, not ${keep}`)
  const old: string[] = []
  let seen = 0
  for await (const { key } of store.list({ prefix: checkpointPrefix(incarnation), ...options })) {
    if (++seen > keep) old.push(key)
  }
  if (old.length > 0) await store.delete(old, options)
  return old.length
}
