import { seeded } from '../random.js'
import { Tally } from '../tally.js'
import { Zipfian } from '../zipfian.js'
import type { WorkloadId } from './ids.js'
import { type Context, type Group, inFlight, rate } from './workload.js'

const CLIENTS = 16
const OPERATIONS = 100_000
const SCAN_OPERATIONS = 20_000
const LONGEST_SCAN = 100

interface Mix {
  id: WorkloadId
  read: number
  update?: number
  insert?: number
  scan?: number
  /** Read, change, write back. */
  modify?: number
  /** Which records are popular. */
  popular: 'zipfian' | 'latest'
}

/**
 * The core workloads of the Yahoo! Cloud Serving Benchmark, in the order its authors give, on
 * records of one field of 100 bytes. https://github.com/brianfrankcooper/YCSB/wiki/Core-Workloads
 */
const MIXES: readonly Mix[] = [
  { id: 'ycsb-a', read: 0.5, update: 0.5, popular: 'zipfian' },
  { id: 'ycsb-b', read: 0.95, update: 0.05, popular: 'zipfian' },
  { id: 'ycsb-c', read: 1, popular: 'zipfian' },
  { id: 'ycsb-f', read: 0.5, modify: 0.5, popular: 'zipfian' },
  { id: 'ycsb-d', read: 0.95, insert: 0.05, popular: 'latest' },
  { id: 'ycsb-e', read: 0, scan: 0.95, insert: 0.05, popular: 'zipfian' },
]

export const ycsb: Group = {
  name: 'ycsb',
  workloads: ['ycsb-a', 'ycsb-b', 'ycsb-c', 'ycsb-d', 'ycsb-e', 'ycsb-f'],
  database: 'copy',
  async run(context) {
    await context.adapter.open(context.directory, { cache: 'ample', durable: false })
    await context.adapter.scan(new Tally(), { reverse: false })
    const records = new Records(context)
    for (const mix of MIXES) if (context.wants(mix.id)) await runMix(context, mix, records)
    await context.adapter.close()
  },
}

/** The records of the dataset, then those that workloads have inserted between them. */
class Records {
  readonly #context: Context
  readonly #written = new Set<number>()
  #claimed: number
  /** All records below this one are visible. */
  visible: number

  constructor(context: Context) {
    this.#context = context
    this.#claimed = context.data.count
    this.visible = this.#claimed
  }

  key(index: number): Buffer {
    const { data } = this.#context
    if (index < data.count) return data.key(index)
    return data.missingKey(data.order[(index - data.count) % data.count] as number)
  }

  /** Inserts the next record. Readers choose it once it and all before it are visible. */
  async insert(): Promise<void> {
    const index = this.#claimed++
    await this.#context.adapter.put(this.key(index), this.#context.data.value(index))
    this.#written.add(index)
    while (this.#written.delete(this.visible)) this.visible++
  }
}

async function runMix(context: Context, mix: Mix, records: Records): Promise<void> {
  const { adapter, data } = context
  const limit = mix.scan === undefined ? OPERATIONS : SCAN_OPERATIONS
  const count = context.operations(limit)
  const next = seeded(mix.id.charCodeAt(mix.id.length - 1))
  const zipfian = new Zipfian(data.count, next())
  let generation = next()

  const choose = (): number =>
    mix.popular === 'zipfian' ? zipfian.scrambled() : records.visible - 1 - zipfian.rank()
  const read = async (index: number): Promise<void> => {
    const found = await adapter.get(records.key(index))
    if (found?.length !== 100) throw new Error(`${mix.id}: record ${index} is missing`)
  }
  const update = (index: number): Promise<unknown> =>
    adapter.put(records.key(index), data.value(index, ++generation))

  const operation = async (): Promise<void> => {
    let share = next() / 2 ** 32
    share -= mix.read
    if (share < 0) return read(choose())
    share -= mix.update ?? 0
    if (share < 0) {
      await update(choose())
      return
    }
    share -= mix.modify ?? 0
    if (share < 0) {
      const index = choose()
      await read(index)
      await update(index)
      return
    }
    share -= mix.scan ?? 0
    if (share < 0) {
      const tally = new Tally()
      const start = Math.min(choose(), data.count - LONGEST_SCAN)
      await adapter.seek(data.key(Math.max(start, 0)), 1 + (next() % LONGEST_SCAN), tally)
      if (tally.rows === 0) throw new Error(`${mix.id}: a scan found nothing`)
      return
    }
    await records.insert()
  }
  await rate(context, mix.id, count, 'ops/s', () => inFlight(CLIENTS, count, operation))
}
