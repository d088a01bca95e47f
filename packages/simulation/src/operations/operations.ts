import type { Decisions } from '../decisions.js'
import type { HostOptions } from '../host.js'
import { factorOf, type Theme } from '../themes.js'
import { bufferAndPause } from './buffers.js'
import { dropAmidWrites, dropTable } from './drops.js'
import { durableAfterBuffered } from './durability.js'
import { transactionsAtOnce } from './meetings.js'
import { mixedTransaction } from './mixed-transaction.js'
import type { Operation } from './operation.js'
import { outrunTransaction } from './outrun.js'
import { freshGet, get, getAt, getMany, getSync, has } from './reads.js'
import { rivalledTransaction } from './rivals.js'
import { append, audit, bank, cycle } from './ruled.js'
import { count, heldScan, scan } from './scans.js'
import { snapshot } from './snapshots.js'
import { transaction } from './transactions.js'
import { compact, evict, flush, refresh, reopen, stats, warm } from './upkeep.js'
import { viewAmidWrites } from './views.js'
import { batch, burst, fill, largeBatch, put, remove } from './writes.js'

/** Everything that clients do. */
export const OPERATIONS: readonly Operation[] = [
  put,
  remove,
  burst,
  batch,
  largeBatch,
  durableAfterBuffered,
  dropTable,
  dropAmidWrites,
  transaction,
  mixedTransaction,
  transactionsAtOnce,
  rivalledTransaction,
  bank,
  cycle,
  append,
  audit,
  get,
  freshGet,
  getSync,
  getAt,
  getMany,
  has,
  scan,
  heldScan,
  count,
  snapshot,
  refresh,
  flush,
  warm,
  evict,
  stats,
  compact,
  reopen,
  bufferAndPause,
  fill,
  outrunTransaction,
  viewAmidWrites,
]

/**
 * The operations of a process that compacts for others. It keeps running: whatever got stuck must
 * recover by itself.
 */
const COMPACTION: readonly Operation[] = [compact, refresh]

/** How often an operation is done in a run, relative to usual: some runs do a lot of one thing. */
const FACTORS: readonly [number, ...number[]] = [1, 1, 1, 1, 0.2, 6]

/** Draws the weights of all operations in a run. */
export function drawWeights(decisions: Decisions, theme: Theme): ReadonlyMap<Operation, number> {
  const own = decisions.scope('operations')
  const weightOf = ({ name, weight }: Operation): number =>
    weight * factorOf(theme, name) * own.likelihood(name, FACTORS)
  return new Map(OPERATIONS.map((each) => [each, weightOf(each)]))
}

/**
 * Chooses one of the operations that a process can do, by their weights; none if the decision is
 * removed.
 */
export function chooseOperation(
  decisions: Decisions,
  { mode, work }: Pick<HostOptions, 'mode' | 'work'>,
  weightsInRun: ReadonlyMap<Operation, number>,
): Operation | undefined {
  const possible =
    work === 'compaction'
      ? COMPACTION
      : OPERATIONS.filter(({ writes }) => mode === 'write' || !writes)
  const weights = possible.map((each) => weightsInRun.get(each) ?? each.weight)
  return possible[decisions.weigh('operation', [0, ...weights]) - 1]
}
