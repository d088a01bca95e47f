import { parentPort, workerData } from 'node:worker_threads'
import { systemEnv } from '@firn/env'
import { fuzz } from './fuzzer.js'
import { fuzzTargets } from './targets.js'

/** What a worker is told. */
export interface FuzzOrder {
  target: string
  seed: number
  first: number
  /** Either of them ends it. */
  seconds: number
  inputs: number
  /** Where it tells the number of the input under way, and how many calls of decoders it made. */
  progress: SharedArrayBuffer
}

const order = workerData as FuzzOrder
const target = fuzzTargets.find(({ name }) => name === order.target)
if (target === undefined) throw new Error(`no target ${order.target}`)
const progress = new Float64Array(order.progress)
// Time runs from the first input on: making the corpus isn't fuzzing.
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
