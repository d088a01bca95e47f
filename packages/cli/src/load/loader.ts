import type { Batch, Database } from '@firn/engine'
import { problemOf } from './bad-row.js'
import type { RowSource, SourceRow } from './row-source.js'
import type { RowWriter } from './row-writer.js'

// Well under what a log takes inline, and enough that a commit costs little per row.
const BATCH_ROWS = 1000
const BATCH_BYTES = 256 * 1024

export interface LoadHooks {
  /** Go on behind rows that can't be loaded. */
  skipBad: boolean
  /** Stop. */
  signal: AbortSignal
  /** Called now and then. */
  onProgress(records: number): void
  /** Called for each row that is skipped. */
  onSkip(line: number, problem: string): void
}

export interface LoadResult {
  records: number
  skipped: number
  /** The bad row that ended the load. */
  stopped?: { line: number; problem: string }
}

/**
 * Writes rows in batches, buffered, and makes them durable at the end, also where a bad row or the
 * signal ends the load early: what was counted is in.
 */
export async function loadRows(
  database: Database,
  source: RowSource,
  writer: RowWriter,
  options: LoadHooks,
): Promise<LoadResult> {
  const result: LoadResult = { records: 0, skipped: 0 }
  let batch = database.batch()
  let batchBytes = 0
  const commit = async (): Promise<void> => {
    const { size } = batch
    if (size === 0) return
    await batch.write({ durability: 'buffered' })
    batch = database.batch()
    batchBytes = 0
    result.records += size
    options.onProgress(result.records)
  }
  try {
    for await (const rows of untilAborted(source, options.signal)) {
      for (const row of rows) {
        const bytes = take(row, writer, batch, result, options)
        if (bytes === undefined) return result
        batchBytes += bytes
        if (batch.size >= BATCH_ROWS || batchBytes >= BATCH_BYTES) await commit()
      }
    }
  } finally {
    // Also after a failure of the source, so that what was read isn't lost with it.
    await commit()
    await database.flush()
  }
  return result
}

/**
 * Writes all rows as one commit, or none: where a bad row, the signal or a failure ends the load,
 * nothing is in. Needs little more memory than `loadRows`, whatever the number of rows.
 */
export async function loadAtomically(
  database: Database,
  source: RowSource,
  writer: RowWriter,
  options: LoadHooks,
): Promise<LoadResult> {
  const result: LoadResult = { records: 0, skipped: 0 }
  const batch = database.batch()
  let whole = false
  try {
    for await (const rows of untilAborted(source, options.signal)) {
      for (const row of rows) {
        if (take(row, writer, batch, result, options) === undefined) return result
      }
      await batch.drain()
      options.onProgress(batch.size)
    }
    whole = !options.signal.aborted
  } finally {
    if (!whole) batch.clear()
  }
  if (!whole) return result
  const { size } = batch
  await batch.write()
  result.records = size
  return result
}

/** Puts a row into the batch, and gives its bytes: none for one that is skipped. */
function take(
  row: SourceRow,
  writer: RowWriter,
  batch: Batch,
  result: LoadResult,
  options: LoadHooks,
): number | undefined {
  const written = tryWrite(writer, row, batch)
  if (typeof written === 'number') return written
  if (options.skipBad && row.final !== true) {
    result.skipped++
    options.onSkip(row.line, written)
    return 0
  }
  result.stopped = { line: row.line, problem: written }
  return undefined
}

function tryWrite(writer: RowWriter, row: SourceRow, batch: Batch): number | string {
  if (row.problem !== undefined) return row.problem
  try {
    return writer.write(row, batch)
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    return problem
  }
}

/** The source, until the signal aborts: then also in the middle of waiting for more. */
async function* untilAborted(source: RowSource, signal: AbortSignal): RowSource {
  const iterator = source[Symbol.asyncIterator]()
  const aborted = new Promise<{ done: true; value: undefined }>((resolve) => {
    const end = () => resolve({ done: true, value: undefined })
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    // Not awaited: a source that waits for input ends when that does.
    void iterator.return?.()?.then(undefined, () => {})
  }
}
