import { appendSettled, type CommitLog } from '@firn/commit-log'
import { type Env, ulid, waitFor } from '@firn/env'
import { encodeEdits } from '@firn/manifest'
import { TimestampClock } from '@firn/mvcc'
import type { LogFollower } from '../view/log-follower.js'

/** Appends entry 1. If another process is first, reads that process's entry instead. */
export async function createDatabase(
  {
    env,
    log,
    incarnation,
    follower,
  }: {
    env: Env
    log: CommitLog
    incarnation: string
    follower: LogFollower
  },
  signal: AbortSignal | undefined,
): Promise<void> {
  const payload = encodeEdits([{ type: 'create-database', incarnation }])
  const timestamp = new TimestampClock(env).next(0)
  const entry = { version: 1, timestamp, token: ulid(env), payload }
  await appendSettled(log, entry, { env, signal })
  signal?.throwIfAborted()
  await waitFor(follower.catchUp(), signal)
}
