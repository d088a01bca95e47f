import type { Batch, Database } from '@firn/engine'
import { CommandError } from '../errors.js'
import { problemOf } from './bad-row.js'
import type { InterruptibleRows } from './interruptible-rows.js'
import type { SourceRow } from './row-source.js'
import type { RowWriter } from './row-writer.js'

// Well below the size that a log takes inline, and enough to keep the cost of a commit per row low.
const BATCH_ROWS = 1000
const BATCH_BYTES = 256 * 1024

export interface LoadHooks {
  /** Whether to continue after rows that can't be loaded. */
  skipBad: boolean
  /** Called from time to time. */
  onProgress(records: number): void
  /** Called for each row that is skipped. */
  onSkip(line: number, problem: string): void
}

export interface LoadResult {
  records: number
  skipped: number
  /** The bad row that ended the load. `final`: skipping it wouldn't help. */
  stopped?: { line: number; problem: string; final: boolean }
  /** Why the rest of the file couldn't be read, or no table takes it. */
  failure?: { error: unknown }
}

/**
 * Writes rows in buffered batches, and makes them durable at the end, even if a bad row, the signal
 * or a failure to read ends the load early: every counted row is in the database. Throws if a row
 * couldn't be written; then it isn't known how many rows are in.
 */
export async function loadRows(
  database: Database,
  source: InterruptibleRows,
  writer: RowWriter,
  options: LoadHooks,
): Promise<LoadResult> {
  const result: LoadResult = { records: 0, skipped: 0 }
  let batch = database.batch()
  let batchBytes = 0
  const commit = async (): Promise<void> => {
    const { size } = batch
    if (size === 0) return
    // Replaced first, so that a batch that can't be written isn't written again.
    const full = batch
    batch = database.batch()
    batchBytes = 0
    await full.write({ durability: 'buffered' })
    result.records += size
    options.onProgress(result.records)
  }
  const takeAll = async (): Promise<void> => {
    for (let rows = await nextRows(source, result); rows !== undefined; ) {
      for (const row of rows) {
        const bytes = take(row, writer, batch, result, options)
        if (bytes === undefined) return
        batchBytes += bytes
        if (batch.size >= BATCH_ROWS || batchBytes >= BATCH_BYTES) await commit()
      }
      rows = await nextRows(source, result)
    }
  }
  await takeAll()
  await commit()
  await database.flush()
  return result
}

/**
 * Writes all rows as one commit, or none: if a bad row, the signal or a failure ends the load,
 * nothing is written. Needs little more memory than `loadRows`, whatever the number of rows.
 */
export async function loadAtomically(
  database: Database,
  source: InterruptibleRows,
  writer: RowWriter,
  options: LoadHooks,
): Promise<LoadResult> {
  const result: LoadResult = { records: 0, skipped: 0 }
  const batch = database.batch()
  let whole = false
  try {
    for (let rows = await nextRows(source, result); rows !== undefined; ) {
      for (const row of rows) {
        if (take(row, writer, batch, result, options) === undefined) return result
      }
      await batch.drain()
      options.onProgress(batch.size)
      rows = await nextRows(source, result)
    }
    whole = !source.interrupted && result.failure === undefined
  } finally {
    if (!whole) batch.clear()
  }
  if (!whole) return result
  const { size } = batch
  await batch.write()
  result.records = size
  return result
}

/**
 * Returns the next rows; `undefined` at the end, and if they can't be read, which the result then
 * says.
 */
async function nextRows(
  source: InterruptibleRows,
  result: LoadResult,
): Promise<readonly SourceRow[] | undefined> {
  try {
    return await source.next()
  } catch (error) {
    result.failure = { error }
    return undefined
  }
}

/**
 * Puts a row into the batch, and returns its bytes: 0 if it is skipped, `undefined` if the load
 * ends.
 */
function take(
  row: SourceRow,
  writer: RowWriter,
  batch: Batch,
  result: LoadResult,
  options: LoadHooks,
): number | undefined {
  const written = tryWrite(writer, row, batch)
  if (typeof written === 'number') return written
  if (written instanceof CommandError) {
    result.failure = { error: written }
    return undefined
  }
  if (options.skipBad && row.final !== true) {
    result.skipped++
    options.onSkip(row.line, written)
    return 0
  }
  result.stopped = { line: row.line, problem: written, final: row.final === true }
  return undefined
}

/** Returns the row's bytes, its problem, or a problem of the whole load. */
function tryWrite(writer: RowWriter, row: SourceRow, batch: Batch): number | string | CommandError {
  if (row.problem !== undefined) return row.problem
  try {
    return writer.write(row, batch)
  } catch (error) {
    if (error instanceof CommandError) return error
    const problem = problemOf(error)
    if (problem === undefined) throw error
    return problem
  }
}
