import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { CLOUD_PEERS, cloudPeer } from '../cloud/peers.js'
import { runCloud } from '../cloud/run-cloud.js'
import { type Delays, startServices } from '../cloud/services.js'
import { cloudToMarkdown } from '../report/cloud-markdown.js'
import { list, positiveInteger, RESULTS } from './arguments.js'

type Engine = typeof import('../../../packages/engine/dist/index.js')

const ENGINE = new URL('../../../packages/engine/dist/index.js', import.meta.url)

/** Fewer would leave no stretch of keys of its own to each cold read. */
const FEWEST_KEYS = 10_000

/** `cloud`: what the stores ask of S3 and DynamoDB, counted between them, and what that costs. */
export async function cloudCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      peers: { type: 'string', default: CLOUD_PEERS.join(',') },
      runs: { type: 'string', default: '3' },
      keys: { type: 'string', default: '200000' },
      idle: { type: 'string', default: '60' },
      delay: { type: 'string', default: '30,5' },
      json: { type: 'string', default: join(RESULTS, 'cloud.json') },
      markdown: { type: 'boolean', default: false },
      timeout: { type: 'string', default: '300' },
    },
  })
  const peers = list(values.peers)
  for (const name of peers) cloudPeer(name)
  const keys = positiveInteger(values.keys, 'keys')
  if (keys < FEWEST_KEYS) throw new Error(`--keys takes at least ${FEWEST_KEYS}`)
  const options = {
    peers,
    keys,
    runs: positiveInteger(values.runs, 'runs'),
    idleSeconds: positiveInteger(values.idle, 'idle'),
    prices: await prices(),
    delaysMs: delays(values.delay),
    timeoutMs: positiveInteger(values.timeout, 'timeout') * 1000,
    log: (line: string) => void process.stderr.write(`${line}\n`),
  }
  const services = await startServices()
  // What was started ends with this process, whatever ends it.
  const results = await runCloud(services, options).finally(() => services.stop())
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
  process.stderr.write(`wrote ${values.json}\n`)
  if (values.markdown) process.stdout.write(cloudToMarkdown(results))
}

/** `30,5`: milliseconds of S3's and of DynamoDB's answers. */
function delays(text: string): Delays {
  const [s3, dynamodb, ...more] = list(text).map(Number)
  const isDelay = (ms: number | undefined): ms is number => ms !== undefined && ms >= 0
  if (isDelay(s3) && isDelay(dynamodb) && more.length === 0) return { s3, dynamodb }
  throw new Error(`--delay takes milliseconds of S3 and of DynamoDB, as in 30,5; not ${text}`)
}

/** The engine's own table of prices, for every peer. */
async function prices(): Promise<Engine['AWS_PRICES']> {
  const engine = (await import(ENGINE.href).catch((cause: unknown) => {
    throw new Error('build the workspace first: npm run build', { cause })
  })) as Engine
  return engine.AWS_PRICES
}
