import type { Decisions } from '../decisions.js'
import type { HostOptions } from '../host.js'
import type { Operation } from './operation.js'
import { freshGet, get, getAt, getMany, has } from './reads.js'
import { count, heldScan, scan } from './scans.js'
import { snapshot } from './snapshots.js'
import { compact, flush, refresh, reopen } from './upkeep.js'
import { batch, largeBatch, put, remove } from './writes.js'

/** All that clients do. */
export const OPERATIONS: readonly Operation[] = [
  put,
  remove,
  batch,
  largeBatch,
  get,
  freshGet,
  getAt,
  getMany,
  has,
  scan,
  heldScan,
  count,
  snapshot,
  refresh,
  flush,
  compact,
  reopen,
]

/** What a process does that compacts for others: like `firn compact`, it comes and goes. */
const COMPACTION: readonly Operation[] = [compact, refresh, reopen]

/** One of the operations that a process can do, by their weights. */
export function chooseOperation(
  decisions: Decisions,
  { mode, work }: Pick<HostOptions, 'mode' | 'work'>,
): Operation {
  const possible =
    work === 'compaction'
      ? COMPACTION
      : OPERATIONS.filter(({ writes }) => mode === 'write' || !writes)
  const total = possible.reduce((sum, { weight }) => sum + weight, 0)
  let left = decisions.choose('operation', total)
  const chosen = possible.find(({ weight }) => {
    left -= weight
    return left < 0
  })
  return chosen ?? get
}
