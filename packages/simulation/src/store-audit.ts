import { leaseKey, logPrefix, spillPrefix } from '@firn/commit-log'
import { begunKey, checkpointPrefix, ROOT_KEY, sstPrefix } from '@firn/manifest'
import type { Place } from './place.js'
import type { Replay } from './replay.js'

/** The number of checkpoints that remain if everything went well. */
const KEPT_CHECKPOINTS = 2

export interface StoreAuditOptions {
  place: Place
  replay: Replay
  /** How many processes write. */
  writers: number
  /** Whether the last two writing processes have flushed: after that, orphans are looked for. */
  haveFlushed: boolean
}

/**
 * Checks the contents of the store, after everything is healed and closed, against the log:
 *
 * - If one process writes, the SSTs are exactly those of the newest state.
 * - If several write, nothing is collected yet: each file that an entry ever named is still there,
 *   because a process may read it. Other files belong to commits that never happened.
 * - A checkpoint exists that is no older than the last announced one, and old ones don't pile up.
 * - There are no unknown objects.
 */
export function auditStore(options: StoreAuditOptions): string[] {
  const { place, replay, writers, haveFlushed } = options
  const { incarnation, checkpoint } = replay.state
  const problems: string[] = []
  const live = new Set([...replay.liveFiles()].map(({ id }) => id))
  const needed = place.kind === 'embedded' ? live : new Set([...replay.everAdded.keys(), ...live])
  for (const id of needed) {
    if (!place.hasFile(incarnation, id)) problems.push(`file ${id} is needed, but not in the store`)
  }
  const checkpoints: number[] = []
  for (const key of place.objectKeys()) {
    if (key.startsWith(sstPrefix(incarnation))) {
      const id = key.slice(sstPrefix(incarnation).length, -'.sst'.length)
      const isExact = place.kind === 'embedded' && haveFlushed
      if (isExact && !live.has(id)) problems.push(`nobody needs file ${id}`)
    } else if (key.startsWith(checkpointPrefix(incarnation))) {
      checkpoints.push(versionOf(key.slice(checkpointPrefix(incarnation).length)))
    } else if (!isKnown(key, incarnation)) problems.push(`nobody knows what ${key} is`)
  }
  const newest = Math.max(0, ...checkpoints)
  if (checkpoint !== undefined && newest < checkpoint.version) {
    problems.push(`checkpoint ${checkpoint.version} was announced, the newest is ${newest}`)
  }
  if (checkpoints.length > KEPT_CHECKPOINTS + writers - 1) {
    problems.push(`there are ${checkpoints.length} checkpoints: ${checkpoints.join(', ')}`)
  }
  return problems
}

/**
 * Returns the version in a checkpoint's name. The numbers count down, so that the newest comes
 * first.
 */
function versionOf(name: string): number {
  return Number(10n ** 20n - 1n - BigInt(name.slice(0, 20)))
}

function isKnown(key: string, incarnation: string): boolean {
  return (
    key === ROOT_KEY ||
    key === begunKey(incarnation) ||
    key.startsWith(leaseKey(incarnation, '')) ||
    key.startsWith(logPrefix(incarnation)) ||
    key.startsWith(spillPrefix(incarnation))
  )
}
