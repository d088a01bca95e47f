import { ClosedError } from '@firn/env'
import type { SnapshotHandle } from '../handles/snapshot-handle.js'
import type { DatabaseHandleParts } from './database-parts.js'

/** Memtables larger than this are flushed at close, so that the next open has little to replay. */
const FLUSH_AT_CLOSE_BYTES = 64 * 1024
/**
 * How long `close` waits for a flush or a log read before giving up, in milliseconds: services may
 * have gone silent.
 */
const CLOSE_MS = 30_000

/**
 * Ends background work, makes buffered writes durable, and releases everything. After a failure it
 * still does the rest; then it throws the first failure.
 */
export async function closeDatabase(
  parts: DatabaseHandleParts,
  snapshots: ReadonlySet<SnapshotHandle>,
): Promise<void> {
  const { env, writing, follower, versions, files, cache, release } = parts
  const reason = new ClosedError(
    'the database is closing: uncommitted writes were discarded; open it again, and close it when all writes and transactions have ended',
  )
  const closed = new AbortController()
  env.sleep(CLOSE_MS, closed.signal, { background: true }).then(
    () => follower.stop(reason),
    () => {},
  )
  let failure: unknown
  const attempt = async (step: () => Promise<unknown> | undefined): Promise<void> => {
    try {
      await step()
    } catch (error) {
      failure ??= error
    }
  }
  parts.head.close()
  if (writing !== undefined) {
    const { committer, flusher, compactor, secondLook, checkpointer, pressure, relief } = writing
    secondLook.stop()
    const batches = parts.writer.stop(reason)
    await attempt(() => compactor.stop(reason))
    await attempt(() => Promise.all(batches.map((runs) => runs.stop(reason))))
    await attempt(() => committer.drain())
    if (!committer.isStopped) {
      if (versions.memtableBytes > FLUSH_AT_CLOSE_BYTES) {
        flusher.seal()
        const flushed = new AbortController()
        // What can't be flushed stays in the log.
        await Promise.race([
          flusher.drain().catch(() => {}),
          env.sleep(CLOSE_MS, flushed.signal).catch(() => {}),
        ])
        flushed.abort()
      }
      await attempt(() => checkpointer.close())
    }
    await attempt(() => flusher.stop(reason))
    committer.close(reason)
    pressure.end()
    relief.stop()
    // Ingestions whose commit was under way clean up after it.
    await Promise.all(batches.map((runs) => runs.ended))
  }
  closed.abort()
  follower.stop(reason)
  for (const snapshot of [...snapshots]) await snapshot.close()
  versions.close()
  await attempt(() => files.close())
  cache.clear()
  await attempt(release)
  if (failure !== undefined) throw failure
}
