import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { selfTimes } from '../cpu-profile.js'
import { formatValue } from '../report/format.js'
import { runTask } from '../run.js'
import { inScratch } from '../scratch.js'
import type { Task } from '../task.js'
import { isWorkloadId, WORKLOAD_IDS, type WorkloadId } from '../workloads/ids.js'
import { GROUPS } from '../workloads/index.js'
import { positiveInteger } from './arguments.js'

const TIMEOUT_MS = 600_000

/** `profile`: where the main thread spends the measured time of one workload. */
export async function profileCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      workload: { type: 'string', default: 'get' },
      keys: { type: 'string', default: '500000' },
      peer: { type: 'string', default: 'firn' },
      top: { type: 'string', default: '25' },
      output: { type: 'string' },
    },
  })
  const { workload, peer } = values
  const group = GROUPS.find((g) => (g.workloads as readonly string[]).includes(workload))
  if (!isWorkloadId(workload) || group === undefined || workload === 'disk-bytes') {
    throw new Error(`No workload is called ${workload}; there are ${WORKLOAD_IDS.join(', ')}`)
  }
  const keys = positiveInteger(values.keys, 'keys')
  const top = positiveInteger(values.top, 'top')
  await inScratch('firn-profile-', undefined, async (base) => {
    const file = resolve(values.output ?? join(base, `${workload}.cpuprofile`))
    const directory = join(base, 'data')
    await mkdir(directory)
    const task = (name: string, ids: WorkloadId[]): Task => ({
      peer,
      group: name,
      keys,
      directory,
      workloads: ids,
    })
    if (group.database !== 'empty') await measure(task('fill-random', []))
    await measure({ ...task(group.name, [workload]), profile: { workload, file } })
    printTop(file, top)
  })
}

async function measure(task: Task): Promise<void> {
  let problem: string | undefined
  const failure = await runTask(task, TIMEOUT_MS, (message) => {
    if (message.type === 'missing') problem = message.reason
    if (message.type === 'measured' && task.profile !== undefined) {
      const { workload, value, unit, count } = message.measurement
      const line = `${task.peer} ${workload}: ${formatValue(value, unit)} over ${count} (profiled)\n`
      if (workload === task.profile.workload) process.stdout.write(line)
    }
  })
  problem ??= failure
  if (problem !== undefined) throw new Error(`${task.peer}: ${problem}`)
}

function printTop(file: string, top: number): void {
  process.stdout.write(`${'self'.padStart(9)} ${'share'.padStart(7)}  function\n`)
  for (const { name, where, ms, share } of selfTimes(file).slice(0, top)) {
    const time = `${ms.toFixed(0)} ms`.padStart(9)
    const percent = `${(share * 100).toFixed(1)} %`.padStart(7)
    process.stdout.write(`${time} ${percent}  ${name}${where === '' ? '' : `  ${where}`}\n`)
  }
}
