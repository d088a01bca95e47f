import { isFirnError } from '@firn/env'
import { SstReader } from '@firn/sst'
import { closing } from '../closing.js'
import type { CommandContext } from '../command-context.js'
import { pathOf } from '../location.js'
import { openFileSource } from './file-source.js'

/** An SST on this machine. */
export interface OpenSst {
  reader: SstReader
  /**
   * False if the file stores no timestamps: its entry in the commit log has the one of all records.
   */
  timestamps: boolean
}

/** Opens an SST by its path while `use` runs. */
export async function withSst<T>(
  file: string,
  context: CommandContext,
  use: (sst: OpenSst) => Promise<T>,
): Promise<T> {
  const source = await openFileSource(pathOf(file, 'the path of the SST', context.io))
  let sst: OpenSst
  try {
    sst = await openSst(source)
  } catch (error) {
    await source.close?.().catch(() => {})
    throw error
  }
  return closing(
    () => sst.reader.close(),
    () => use(sst),
  )
}

async function openSst(source: Parameters<typeof SstReader.open>[0]): Promise<OpenSst> {
  try {
    return { reader: await SstReader.open(source), timestamps: true }
  } catch (error) {
    // The reader needs a timestamp for a file that stores none; any value will do to look at it.
    if (!isFirnError(error, 'FIRN_INVALID_ARGUMENT')) throw error
    return { reader: await SstReader.open(source, { timestamp: 0 }), timestamps: false }
  }
}
