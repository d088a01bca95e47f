import { isFirnError } from '@firn/env'
import { MAX_TIMESTAMP } from '@firn/mvcc'
import { fileMissing, tableDropped } from '../../errors.js'
import type { TakenReadOptions } from '../arguments/read-options.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { View } from '../view/view.js'
import type { ReadSource } from './read-source.js'

/** How often a read is tried when its files are compacted away during it. */
const MAX_ATTEMPTS = 5

/** A read that failed, maybe because a file was missing. */
export interface FailedRead {
  /** The view when the read began. */
  before: View
  options: TakenReadOptions
  /** How often the read was tried. */
  attempt: number
  isScan?: boolean
}

/**
 * Prepares another try after a missing file, which another process may have compacted away: the
 * read then uses newer files than `before`. Throws if it can't be tried again.
 */
export async function afterMissingFile(
  error: unknown,
  table: TableIdentity,
  source: ReadSource,
  { before, options, attempt, isScan = false }: FailedRead,
): Promise<void> {
  if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) throw error
  const id = table.idIn(before.state)
  const replaced = await source.refreshFiles(before, options.signal)
  if (!replaced || attempt === MAX_ATTEMPTS) throw fileMissing(table.name, error)
  const isOfThePast = source.timestamp !== MAX_TIMESTAMP || options.at !== undefined
  if ((isOfThePast || isScan) && table.idIn(source.view().state) !== id) {
    throw tableDropped(table.name, error)
  }
}
