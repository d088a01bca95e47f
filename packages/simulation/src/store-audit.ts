import { leaseKey, logPrefix, spillPrefix } from '@firn/commit-log'
import { begunKey, checkpointPrefix, ROOT_KEY, sstPrefix } from '@firn/manifest'
import type { Place } from './place.js'
import type { Replay } from './replay.js'

/** Checkpoints that stay, when everything went well. */
const KEPT_CHECKPOINTS = 2

export interface StoreAuditOptions {
  place: Place
  replay: Replay
  /** How many processes write. */
  writers: number
  /** Whether the last two processes to write have flushed, after which orphans are looked for. */
  haveFlushed: boolean
}

/**
 * What is in the store, when all is healed and closed, held against what the log says:
 *
 * - Where one process writes, the SSTs there are are those of the newest state, and no others.
 * - Where several do, nothing is collected yet: each file that an entry ever named is still there,
 *   as somebody may read it. Other files are of commits that never were.
 * - There is a checkpoint that is no older than the one that was announced last, and no heap of old
 *   ones.
 * - There is nothing of which nobody knows what it is.
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

/** The names of checkpoints count down, so that the newest one comes first. */
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
