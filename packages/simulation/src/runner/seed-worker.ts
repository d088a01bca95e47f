import { parentPort, workerData } from 'node:worker_threads'
import type { RunReport } from '../run-seed.js'
import { seedOf, type WorkerTask } from './seed-order.js'
import { resultOf } from './seed-result.js'
import { Share } from './share.js'

// A thread that runs seeds one after the other, until none is left. It has its own globals, so that
// it can take the real world's clocks and timers away from itself, and it gets no messages
// meanwhile.

const { module, shared, worker, order } = workerData as WorkerTask
const { runSeed } = (await import(module)) as { runSeed: (seed: number) => Promise<RunReport> }
const share = new Share(shared)
for (;;) {
  const run = share.take(worker, order.runs)
  if (run === undefined) break
  parentPort?.postMessage(resultOf(await runSeed(seedOf(order, run))))
}
