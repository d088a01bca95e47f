import { once } from 'node:events'
import { monotonicMs } from '../clock.js'
import { Dataset } from '../dataset.js'
import { firstLine, runToEnd, tell } from '../report-to-parent.js'
import { cloudPeer } from './peers.js'
import { STEPS } from './steps.js'
import type { CloudMessage, CloudTask, Section } from './task.js'

// Does one step, given as JSON in the first argument. Its requests are counted by the parent, which
// is told when each section begins and ends.
const task = JSON.parse(process.argv[2] ?? '{}') as CloudTask

async function run(): Promise<void> {
  const peer = cloudPeer(task.peer)
  const adapter = peer.make()
  try {
    await tell({ type: 'loaded', version: await adapter.load() })
  } catch (error) {
    await tell({ type: 'missing', reason: firstLine(error) })
    return
  }
  const own = async (): Promise<Section['own']> => {
    const counted = await adapter.requests?.().catch(() => undefined)
    return counted && { requests: counted.requests, dollars: counted.dollars }
  }
  await STEPS[task.step]({
    adapter,
    data: new Dataset(task.keys),
    location: task.location,
    aloneWrites: peer.aloneWrites,
    idleSeconds: task.idleSeconds,
    async measure(workload, operations, work, finish) {
      await ask({ type: 'begin' })
      const before = await own()
      const latencies: number[] = []
      const start = monotonicMs()
      await work(latencies)
      const ms = monotonicMs() - start
      await finish?.()
      const after = await own()
      const section: Section = { workload, operations, ms }
      if (latencies.length > 0) section.medianMs = median(latencies)
      // A database that was opened in between has begun to count then; one that was closed is
      // silent.
      if (after !== undefined) {
        section.own = {
          requests: after.requests - (before?.requests ?? 0),
          dollars: after.dollars - (before?.dollars ?? 0),
        }
      }
      await ask({ type: 'end', section })
    },
    quiet: (forMs) => ask({ type: 'quiet', forMs }),
  })
  await tell({ type: 'done' })
}

/** Tells, and waits for the parent to have seen to it. */
async function ask(message: CloudMessage): Promise<void> {
  const seenTo = once(process, 'message')
  await tell(message)
  await seenTo
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

runToEnd(run)
