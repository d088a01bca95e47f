import { fork } from 'node:child_process'
import { loadavg, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Prices } from '../../../packages/engine/dist/index.js'
import { timestamp } from '../clock.js'
import { KEY_BYTES, VALUE_BYTES } from '../dataset.js'
import { describeMachine } from '../machine.js'
import { type Counts, countsBetween, dollars } from './bill.js'
import type { CloudCell, CloudPeerResult, CloudResults } from './cloud-results.js'
import { cloudPeer } from './peers.js'
import {
  BUCKET,
  type CountedServices,
  countServices,
  type Delays,
  type Services,
} from './services.js'
import type { CloudMessage, CloudTask, Section, StepName } from './task.js'

export interface CloudRunOptions {
  keys: number
  runs: number
  idleSeconds: number
  peers: readonly string[]
  prices: Prices
  delaysMs: Delays
  /** How long one step of one peer may take. */
  timeoutMs: number
  log(line: string): void
}

type Measure = CloudCell['measures'][number]

/** The messages that a child waits for an answer to. */
const ASKING: ReadonlySet<CloudMessage['type']> = new Set(['begin', 'end', 'quiet'])

const CHILD = fileURLToPath(new URL('./cloud-child.js', import.meta.url))

/**
 * Does every step of every peer, `runs` times, each in a process of its own that sees the services
 * through counting proxies of its own. Idling is done in the first run only.
 */
export async function runCloud(
  services: Services,
  options: CloudRunOptions,
): Promise<CloudResults> {
  const peers: CloudPeerResult[] = options.peers.map((name) => ({
    name,
    version: 'not installed',
    settings: cloudPeer(name).settings,
    cells: {},
  }))
  const loadAverages: number[] = []
  for (let run = 0; run < options.runs; run++) {
    loadAverages.push(loadavg()[0] ?? 0)
    for (const peer of peers) {
      for (const step of cloudPeer(peer.name).steps) {
        if (peer.missing !== undefined || (step === 'idle' && run > 0)) continue
        options.log(`run ${run + 1}/${options.runs}  ${step}  ${peer.name}`)
        await runStep(services, peer, step, run, options)
      }
    }
  }
  return {
    format: 1,
    kind: 'cloud',
    measuredAt: timestamp(),
    machine: describeMachine(tmpdir()),
    services: { s3: services.s3.kind, dynamodb: services.dynamodb.kind },
    prices: options.prices,
    delaysMs: options.delaysMs,
    keys: options.keys,
    keyBytes: KEY_BYTES,
    valueBytes: VALUE_BYTES,
    runs: options.runs,
    idleSeconds: options.idleSeconds,
    loadAverages,
    peers,
  }
}

async function runStep(
  services: Services,
  peer: CloudPeerResult,
  step: StepName,
  run: number,
  options: CloudRunOptions,
): Promise<void> {
  const { keys, idleSeconds, prices, timeoutMs } = options
  // The other steps find what was loaded, and no more.
  const database = step === 'writes' ? 'written' : 'loaded'
  const location = `s3://${BUCKET}/${peer.name}/${run}/${database}`
  const task: CloudTask = { peer: peer.name, step, location, keys, idleSeconds }
  const counted = await countServices(services, options.delaysMs)
  try {
    const outcome = await runChild(task, timeoutMs, counted, (section, counts) => {
      const measure: Measure = {
        operations: section.operations,
        ms: section.ms,
        counts,
        dollars: dollars(counts, prices),
        ...(section.medianMs !== undefined && { medianMs: section.medianMs }),
        ...(section.own !== undefined && { own: section.own }),
      }
      const cell = peer.cells[section.workload]
      if (cell === undefined) peer.cells[section.workload] = { measures: [measure] }
      else cell.measures.push(measure)
    })
    if (outcome.version !== undefined) peer.version = outcome.version
    if (outcome.missing !== undefined) peer.missing = outcome.missing
    if (outcome.failure !== undefined) {
      peer.failures = [...(peer.failures ?? []), `run ${run + 1}, ${step}: ${outcome.failure}`]
    }
  } finally {
    await counted.stop()
  }
}

interface Outcome {
  version?: string
  missing?: string
  failure?: string
}

function runChild(
  task: CloudTask,
  timeoutMs: number,
  counted: CountedServices,
  onSection: (section: Section, counts: Counts) => void,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Outcome = {}
    let ended = false
    let before = counted.counts()
    const child = fork(CHILD, [JSON.stringify(task)], {
      execArgv: ['--enable-source-maps'],
      env: { ...withoutAws(process.env), ...counted.environment },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    const seeTo = async (message: CloudMessage): Promise<void> => {
      if (message.type === 'loaded') outcome.version = message.version
      else if (message.type === 'missing') outcome.missing = `not installed: ${message.reason}`
      else if (message.type === 'failed') outcome.failure = message.reason
      else if (message.type === 'begin') before = counted.counts()
      else if (message.type === 'end') {
        onSection(message.section, countsBetween(before, counted.counts()))
      } else if (message.type === 'quiet') await counted.quiet(message.forMs)
      ended ||= message.type === 'done' || message.type === 'missing'
      if (ASKING.has(message.type) && child.connected) child.send('seen to')
    }
    child.on('message', (message: CloudMessage) => void seeTo(message))
    child.on('error', (error) => {
      outcome.failure ??= error.message
    })
    child.on('close', (code, signal) => {
      if (!ended) outcome.failure ??= `ended early with ${signal ?? `status ${code}`}`
      resolve(outcome)
    })
  })
}

/** What the machine's user has set up for AWS is not to be used here. */
function withoutAws(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const entries = Object.entries(environment).filter(([name]) => !name.startsWith('AWS_'))
  return Object.fromEntries(entries)
}
