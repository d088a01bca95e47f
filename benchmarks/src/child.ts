import { makeAdapter } from './adapters/index.js'
import { monotonicMs } from './clock.js'
import { profiled } from './cpu-profile.js'
import { Dataset } from './dataset.js'
import { firstLine, runToEnd, tell } from './report-to-parent.js'
import type { Task } from './task.js'
import { fill } from './workloads/fill.js'
import { GROUPS } from './workloads/index.js'
import type { Context } from './workloads/workload.js'

// Runs one task, given as JSON in the first argument, and reports to the parent as it goes.
const task = JSON.parse(process.argv[2] ?? '{}') as Task

async function run(): Promise<void> {
  const group = GROUPS.find((g) => g.name === task.group)
  if (group === undefined) throw new Error(`no group is called ${task.group}`)
  const adapter = makeAdapter(task.peer)
  try {
    await tell({ type: 'loaded', version: await adapter.load() })
  } catch (error) {
    await tell({ type: 'missing', reason: firstLine(error) })
    return
  }
  const context: Context = {
    adapter,
    data: new Dataset(task.keys),
    directory: task.directory,
    wants: (workload) =>
      task.workloads.includes(workload) && adapter.unsupported[workload] === undefined,
    operations: (most) => Math.ceil(Math.min(most, task.keys) * adapter.effort),
    async time(workload, work) {
      globalThis.gc?.()
      const profile = task.profile?.workload === workload ? task.profile.file : undefined
      let ms = 0
      const timed = async (): Promise<void> => {
        const start = monotonicMs()
        await work()
        ms = monotonicMs() - start
      }
      await (profile === undefined ? timed() : profiled(profile, timed))
      return ms
    },
    report: (measurement) => void tell({ type: 'measured', measurement }),
  }
  if (!adapter.persistent && group.database !== 'empty') {
    // It has nothing to open: this process fills it, then goes on as if it had been there.
    await adapter.open(task.directory, { cache: 'ample', durable: false })
    await fill(adapter, context.data, true)
    adapter.open = async () => {}
  }
  await group.run(context)
  await tell({ type: 'done', peakRssBytes: process.resourceUsage().maxRSS * 1024 })
}

runToEnd(run)
