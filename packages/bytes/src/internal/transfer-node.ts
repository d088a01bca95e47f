// Imported as a namespace: a runtime that only resembles Node.js may lack the function.
import * as threads from 'node:worker_threads'

/** Keeps a buffer from being transferred to another thread. */
export function keepFromTransfer(buffer: ArrayBuffer): void {
  threads.markAsUntransferable?.(buffer)
}
