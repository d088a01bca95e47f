import { parentPort, workerData } from 'node:worker_threads'
import { systemEnv } from '@firn/env'
import { fuzz } from './fuzzer.js'
import { fuzzTargets } from './targets.js'

/** The order for a worker. */
export interface FuzzOrder {
  target: string
  seed: number
  first: number
  /** The first limit that is reached ends the work. */
  seconds: number
  inputs: number
  /**
   * The worker writes here the number of the input under way, and how many decoder calls it has
   * made.
   */
  progress: SharedArrayBuffer
}

const order = workerData as FuzzOrder
const target = fuzzTargets.find(({ name }) => name === order.target)
if (target === undefined) throw new Error(`no target ${order.target}`)
const progress = new Float64Array(order.progress)
// Time runs from the first input: making the corpus isn't fuzzing.
let end: number | undefined
const report = await fuzz(target, {
  seed: order.seed,
  first: order.first,
  more: (done) => {
    end ??= systemEnv.monotonic() + order.seconds * 1000
    return done < order.inputs && systemEnv.monotonic() < end
  },
  onCall: (number) => {
    progress[0] = number
    progress[1] = (progress[1] as number) + 1
  },
})
parentPort?.postMessage(report)
