import { fork } from 'node:child_process'
import { cp, mkdir, rm } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeAdapter } from './adapters/index.js'
import { timestamp } from './clock.js'
import { KEY_BYTES, VALUE_BYTES } from './dataset.js'
import { describeMachine } from './machine.js'
import { makeCell, type PeerResult, type Results } from './results.js'
import { inScratch } from './scratch.js'
import type { Message, Task } from './task.js'
import type { WorkloadId } from './workloads/ids.js'
import { GROUPS } from './workloads/index.js'
import type { Group, Measurement } from './workloads/workload.js'

export interface RunOptions {
  keys: number
  runs: number
  peers: readonly string[]
  workloads: readonly WorkloadId[]
  /** Where databases are made, each run's in a folder of its own that is removed after it. */
  directory?: string
  /** How long one group of one peer may take. */
  timeoutMs: number
  log(line: string): void
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))

/**
 * Measures every workload of every peer, `runs` times. Peers take turns within each group of
 * workloads, starting with another one in each run, so that a slow minute of the machine doesn't
 * fall on one of them.
 */
export function runBenchmarks(options: RunOptions): Promise<Results> {
  return inScratch('firn-bench-', options.directory, async (base) => {
    const peers = options.peers.map((name) => new Peer(name))
    const loadAverages: number[] = []
    for (let run = 0; run < options.runs; run++) {
      loadAverages.push(loadavg()[0] ?? 0)
      await runOnce(join(base, String(run)), rotated(peers, run), run, options)
      await rm(join(base, String(run)), { recursive: true, force: true })
    }
    return {
      format: 1,
      measuredAt: timestamp(),
      machine: describeMachine(base),
      keys: options.keys,
      keyBytes: KEY_BYTES,
      valueBytes: VALUE_BYTES,
      runs: options.runs,
      loadAverages,
      peers: peers.map((peer) => peer.result(options.workloads)),
    }
  })
}

async function runOnce(
  base: string,
  peers: readonly Peer[],
  run: number,
  options: RunOptions,
): Promise<void> {
  const asked = (group: Group): WorkloadId[] =>
    group.workloads.filter((workload) => options.workloads.includes(workload))
  const needsData = GROUPS.some((g) => g.database !== 'empty' && asked(g).length > 0)
  for (const group of GROUPS) {
    const isSource = group.name === 'fill-random' && needsData
    if (asked(group).length === 0 && !isSource) continue
    for (const peer of peers) {
      if (!peer.canDo(group, isSource)) continue
      const directory = await directoryOf(base, peer, group)
      const task: Task = {
        peer: peer.name,
        group: group.name,
        keys: options.keys,
        directory,
        workloads: [...group.workloads],
      }
      options.log(`run ${run + 1}/${options.runs}  ${group.name}  ${peer.name}`)
      await peer.run(task, options)
      if (group.database !== 'shared' && group.name !== 'fill-random') {
        await rm(directory, { recursive: true, force: true })
      }
    }
  }
}

async function directoryOf(base: string, peer: Peer, group: Group): Promise<string> {
  const data = join(base, peer.name, 'data')
  if (group.database === 'shared' || group.name === 'fill-random') {
    await mkdir(data, { recursive: true })
    return data
  }
  const own = join(base, peer.name, group.name)
  if (group.database === 'copy') await cp(data, own, { recursive: true })
  else await mkdir(own, { recursive: true })
  return own
}

/** What is known of one peer so far. */
class Peer {
  readonly name: string
  readonly #adapter
  readonly #values = new Map<WorkloadId, Measurement[]>()
  readonly #gaps = new Map<WorkloadId, string>()
  readonly #peakRssBytes: Record<string, number> = {}
  #version = 'not installed'
  /** Set when the package can't be loaded: nothing else is tried. */
  #missing: string | undefined
  /** Set when the database that others read could not be made. */
  #noData: string | undefined

  constructor(name: string) {
    this.name = name
    this.#adapter = makeAdapter(name)
  }

  canDo(group: Group, isSource: boolean): boolean {
    if (this.#missing !== undefined) return false
    if (group.database !== 'empty' && this.#noData !== undefined) return false
    if (isSource && this.#adapter.persistent) return true
    return group.workloads.some((workload) => this.#adapter.unsupported[workload] === undefined)
  }

  async run(task: Task, options: Pick<RunOptions, 'timeoutMs'>): Promise<void> {
    const failure = await runTask(task, options.timeoutMs, (message) => {
      if (message.type === 'loaded') this.#version = message.version
      else if (message.type === 'missing') this.#missing = `not installed: ${message.reason}`
      else if (message.type === 'measured') this.#add(message.measurement)
      else if (message.type === 'done') this.#peak(task.group, message.peakRssBytes)
    })
    if (failure === undefined) return
    if (task.group === 'fill-random') this.#noData = `could not be filled: ${failure}`
    for (const workload of task.workloads) this.#gaps.set(workload, failure)
  }

  result(workloads: readonly WorkloadId[]): PeerResult {
    const cells: PeerResult['cells'] = {}
    for (const workload of workloads) {
      const measured = this.#values.get(workload)
      const [first] = measured ?? []
      if (measured !== undefined && first !== undefined) {
        const values = measured.map((m) => m.value)
        cells[workload] = makeCell(first.unit, first.count, values)
      } else {
        cells[workload] = { missing: this.#reason(workload) }
      }
    }
    return {
      name: this.name,
      version: this.#version,
      native: this.#adapter.native,
      settings: this.#adapter.settings,
      peakRssBytes: this.#peakRssBytes,
      cells,
    }
  }

  #reason(workload: WorkloadId): string {
    return (
      this.#adapter.unsupported[workload] ??
      this.#missing ??
      this.#gaps.get(workload) ??
      this.#noData ??
      'not measured'
    )
  }

  #add(measurement: Measurement): void {
    const values = this.#values.get(measurement.workload)
    if (values === undefined) this.#values.set(measurement.workload, [measurement])
    else values.push(measurement)
  }

  #peak(group: string, bytes: number): void {
    this.#peakRssBytes[group] = Math.max(this.#peakRssBytes[group] ?? 0, bytes)
  }
}

/** Runs a task in a process of its own. Returns why it failed, or nothing. */
export function runTask(
  task: Task,
  timeoutMs: number,
  onMessage: (message: Message) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let ended = false
    let failure: string | undefined
    const child = fork(CHILD, [JSON.stringify(task)], {
      execArgv: ['--expose-gc', '--enable-source-maps'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    child.on('message', (message: Message) => {
      if (message.type === 'failed') failure = message.reason
      if (message.type === 'done' || message.type === 'missing') ended = true
      onMessage(message)
    })
    child.on('error', (error) => {
      failure ??= error.message
    })
    child.on('close', (code, signal) => {
      if (ended || failure !== undefined) resolve(failure)
      else if (signal === 'SIGKILL') resolve(`killed, perhaps after ${timeoutMs / 1000} s`)
      else resolve(`ended early with ${signal ?? `status ${code}`}`)
    })
  })
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
