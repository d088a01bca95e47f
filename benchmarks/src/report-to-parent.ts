import type { CloudMessage } from './cloud/task.js'
import type { SlowMessage } from './slow/task.js'
import type { Message } from './task.js'

/** Sends a message to the process that started this one. */
export function tell(message: Message | CloudMessage | SlowMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error ? reject(error) : resolve()))
  })
}

export function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}

/** Runs all that this process is for, reports a failure, and ends it. */
export function runToEnd(run: () => Promise<void>): void {
  run()
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      return tell({ type: 'failed', reason: firstLine(error) })
    })
    // Some peers keep threads that hold the process; everything was measured and closed.
    .finally(() => process.exit())
}
