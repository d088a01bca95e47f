import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PEERS } from '../adapters/index.js'
import { toMarkdown } from '../report/markdown.js'
import { runBenchmarks } from '../run.js'
import { isWorkloadId, WORKLOAD_IDS, type WorkloadId } from '../workloads/ids.js'
import { list, positiveInteger, RESULTS } from './arguments.js'

/** Fewer would leave the longest scans and the latest reads nothing to choose from. */
const FEWEST_KEYS = 1000

/** `run`: measures and writes a result. */
export async function runCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      keys: { type: 'string', default: '500000' },
      runs: { type: 'string', default: '3' },
      peers: { type: 'string', default: PEERS.join(',') },
      only: { type: 'string', default: WORKLOAD_IDS.join(',') },
      directory: { type: 'string' },
      json: { type: 'string' },
      markdown: { type: 'boolean', default: false },
      timeout: { type: 'string', default: '300' },
    },
  })
  const keys = positiveInteger(values.keys, 'keys')
  if (keys < FEWEST_KEYS) throw new Error(`--keys takes at least ${FEWEST_KEYS}`)
  const results = await runBenchmarks({
    keys,
    runs: positiveInteger(values.runs, 'runs'),
    peers: list(values.peers),
    workloads: workloads(values.only),
    timeoutMs: positiveInteger(values.timeout, 'timeout') * 1000,
    log: (line) => process.stderr.write(`${line}\n`),
    ...(values.directory === undefined ? {} : { directory: values.directory }),
  })
  mkdirSync(RESULTS, { recursive: true })
  const name = results.measuredAt.replace(/\.\d+/, '').replaceAll(':', '')
  const file = values.json ?? join(RESULTS, `${name}.json`)
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  process.stderr.write(`wrote ${file}\n`)
  if (values.markdown) process.stdout.write(toMarkdown(results))
}

function workloads(text: string): WorkloadId[] {
  const ids: WorkloadId[] = []
  for (const id of list(text)) {
    if (!isWorkloadId(id)) {
      throw new Error(`No workload is called ${id}; there are ${WORKLOAD_IDS.join(', ')}`)
    }
    ids.push(id)
  }
  return ids
}
