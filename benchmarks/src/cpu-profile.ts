import { readFileSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

interface CpuProfile {
  nodes: {
    id: number
    callFrame: { functionName: string; url: string; lineNumber: number }
  }[]
  samples: number[]
  timeDeltas: number[]
}

export interface SelfTime {
  name: string
  /** File and line, or empty for what has none (native code, garbage collection). */
  where: string
  ms: number
  share: number
}

const SAMPLE_MICROS = 200

/** Runs `work` and writes the main thread's CPU profile of it, as `node --cpu-prof` would. */
export async function profiled(file: string, work: () => Promise<void>): Promise<void> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS })
  await session.post('Profiler.start')
  await work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  writeFileSync(file, JSON.stringify(profile))
}

/** The functions of a `.cpuprofile` by the time spent in themselves, most first. */
export function selfTimes(file: string): SelfTime[] {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]))
  const micros = new Map<string, number>()
  let total = 0
  for (const [i, id] of profile.samples.entries()) {
    const frame = nodes.get(id)
    const delta = profile.timeDeltas[i] ?? 0
    if (frame === undefined) continue
    const where = frame.url === '' ? '' : `${place(frame.url)}:${frame.lineNumber + 1}`
    const label = JSON.stringify([frame.functionName || '(anonymous)', where])
    micros.set(label, (micros.get(label) ?? 0) + delta)
    total += delta
  }
  return [...micros]
    .sort((a, b) => b[1] - a[1])
    .map(([label, time]) => {
      const [name, where] = JSON.parse(label) as [string, string]
      return { name, where, ms: time / 1000, share: time / total }
    })
}

/** The part of a module's address that says which module it is. */
function place(url: string): string {
  return url.replace(/^.*\/(?=(?:packages|node_modules|benchmarks)\/)/, '')
}
