import type { Commit } from '@firn/engine'
import type { Output } from './output.js'
import { formatTimestamp } from './text/quantities.js'

/** Prints the version that a write made. */
export async function showCommit(output: Output, commit: Commit): Promise<void> {
  const { version, timestamp } = commit
  const time = formatTimestamp(timestamp)
  if (output.json) await output.document({ version, timestamp, time })
  else await output.line(`version ${version} `, output.paint('dim', `at ${time}`))
}
