import { Worker } from 'node:worker_threads'
import { systemEnv } from '@firn/env'
import type { FuzzOrder } from './fuzz-worker.js'
import { type FuzzReport, fuzzInputs } from './fuzzer.js'
import { fuzzTargets } from './targets.js'
import { watched } from './watched.js'

/** The heap for a decoder and for the fuzzer itself: more ends the thread. */
const HEAP_MB = 160

/**
 * Fuzzes one target in its own thread, which may hang or run out of memory: both are failures of
 * the input under way.
 */
export async function fuzzInThread(order: Omit<FuzzOrder, 'progress'>): Promise<FuzzReport> {
  const buffer = new SharedArrayBuffer(16)
  const progress = new Float64Array(buffer)
  const worker = new Worker(new URL('fuzz-worker.js', import.meta.url), {
    workerData: { ...order, progress: buffer } satisfies FuzzOrder,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  const answer = await watched(worker, progress, systemEnv)
  if (typeof answer !== 'string') return answer as FuzzReport
  const target = fuzzTargets.find(({ name }) => name === order.target)
  if (target === undefined) throw new Error(`no target ${order.target}`)
  // The input is made again from its number, because the thread that had it is gone.
  const number = progress[0] as number
  const { bytes } = (await fuzzInputs(target, order.seed))(number)
  const failure = { number, problem: answer, bytes }
  return { target: order.target, inputs: number - order.first + 1, taken: 0, failure }
}
