import type { Adapter } from '../adapters/adapter.js'
import type { Dataset } from '../dataset.js'
import { diskBytes, settled } from '../directory.js'
import { type Context, type Group, rate } from './workload.js'

const BATCH = 1000
const CHECKED_READS = 2000

export const fillSequential: Group = {
  name: 'fill-sequential',
  workloads: ['fill-sequential'],
  database: 'empty',
  run: (context) => measureFill(context, 'fill-sequential'),
}

/** Leaves the database behind that the reading groups open. */
export const fillRandom: Group = {
  name: 'fill-random',
  workloads: ['fill-random', 'disk-bytes'],
  database: 'empty',
  run: (context) => measureFill(context, 'fill-random'),
}

/** Writes the whole dataset in batches of 1000, in random order or in the order of the keys. */
export async function fill(adapter: Adapter, data: Dataset, random: boolean): Promise<void> {
  for (const batch of batchesOf(data, random)) await adapter.writeBatch(batch.keys, batch.values)
  await adapter.drain()
}

async function measureFill(
  context: Context,
  workload: 'fill-sequential' | 'fill-random',
): Promise<void> {
  const { adapter, data, directory } = context
  await adapter.open(directory, { cache: 'ample', durable: false })
  const batches = batchesOf(data, workload === 'fill-random')
  await rate(context, workload, data.count, 'ops/s', async () => {
    for (const batch of batches) await adapter.writeBatch(batch.keys, batch.values)
    await adapter.drain()
  })
  await expectReadable(context, data.draw(CHECKED_READS, 1))
  if (adapter.persistent) await settled(directory)
  await adapter.close()
  if (context.wants('disk-bytes') && workload === 'fill-random') {
    const value = await diskBytes(directory)
    context.report({ workload: 'disk-bytes', unit: 'bytes', value, count: data.count })
  }
}

interface Batch {
  keys: Buffer[]
  values: Buffer[]
}

/** Made before the clock starts: a fill measures writing, not making up data. */
function batchesOf(data: Dataset, random: boolean): Batch[] {
  const batches: Batch[] = []
  for (let from = 0; from < data.count; from += BATCH) {
    const batch: Batch = { keys: [], values: [] }
    for (let i = from; i < Math.min(from + BATCH, data.count); i++) {
      const index = random ? (data.order[i] as number) : i
      batch.keys.push(data.key(index))
      batch.values.push(data.value(index))
    }
    batches.push(batch)
  }
  return batches
}

/** Throws unless these records can be read as they were written. Not part of any measured time. */
export async function expectReadable(context: Context, indices: Iterable<number>): Promise<void> {
  for (const index of indices) {
    const found = await context.adapter.get(context.data.key(index))
    if (found === undefined || Buffer.compare(found, context.data.value(index)) !== 0) {
      throw new Error(`record ${index} does not read back as it was written`)
    }
  }
}
