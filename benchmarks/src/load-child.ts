import { FirnAdapter } from './adapters/firn.js'
import { monotonicMs } from './clock.js'
import { Dataset } from './dataset.js'
import { diskBytes } from './directory.js'

export interface LoadReport {
  recordsPerSecond: number
  /** Of the whole process, from its start. */
  peakRssBytes: number
  endRssBytes: number
  closeMs: number
  diskBytes: number
  /** Resident memory at every twentieth of the load. */
  samples: { records: number; rssBytes: number; heapBytes: number; buffersBytes: number }[]
}

export interface ReopenReport {
  openMs: number
  /** From the call of open to the first value. */
  firstReadMs: number
  checked: number
}

const BATCH = 1000
const SAMPLES = 20
const CHECKED = 10_000

const [step, recordsText = '0', directory = ''] = process.argv.slice(2)
const data = new Dataset(Number(recordsText))
const firn = new FirnAdapter()
await firn.load()

/** Makes up each batch as it goes: the data takes no memory but the order (4 bytes a record). */
async function load(): Promise<LoadReport> {
  const samples: LoadReport['samples'] = []
  const every = Math.ceil(data.count / SAMPLES / BATCH) * BATCH
  await firn.open(directory, { cache: 'ample', durable: false })
  const start = monotonicMs()
  for (let from = 0; from < data.count; from += BATCH) {
    const indices = Array.from(data.order.subarray(from, from + BATCH))
    await firn.writeBatch(
      indices.map((index) => data.key(index)),
      indices.map((index) => data.value(index)),
    )
    if ((from + BATCH) % every === 0) samples.push(sample(from + BATCH))
  }
  await firn.drain()
  const ms = monotonicMs() - start
  const endRssBytes = process.memoryUsage.rss()
  const closing = monotonicMs()
  await firn.close()
  return {
    recordsPerSecond: (data.count / ms) * 1000,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    endRssBytes,
    closeMs: monotonicMs() - closing,
    diskBytes: await diskBytes(directory),
    samples,
  }
}

function sample(records: number): LoadReport['samples'][number] {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  process.stderr.write(`${records.toLocaleString('en')} records, ${Math.round(rss / 1e6)} MB\n`)
  return { records, rssBytes: rss, heapBytes: heapUsed, buffersBytes: arrayBuffers }
}

async function reopen(): Promise<ReopenReport> {
  const start = monotonicMs()
  await firn.open(directory, { cache: 'ample', durable: false })
  const openMs = monotonicMs() - start
  await firn.get(data.key(0))
  const firstReadMs = monotonicMs() - start
  const indices = data.draw(CHECKED, 40)
  for (const index of indices) {
    const found = await firn.get(data.key(index))
    if (found === undefined || Buffer.compare(found, data.value(index)) !== 0) {
      throw new Error(`record ${index} does not read back as it was written`)
    }
    if ((await firn.get(data.missingKey(index))) !== undefined) {
      throw new Error(`a key next to record ${index} was found that was never written`)
    }
  }
  await firn.close()
  return { openMs, firstReadMs, checked: indices.length }
}

process.send?.(await (step === 'load' ? load() : reopen()))
process.disconnect?.()
