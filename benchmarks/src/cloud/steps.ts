import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from '../clock.js'
import type { Dataset } from '../dataset.js'
import { shuffled } from '../random.js'
import { Tally, tallyOfScan, tallyOfValues } from '../tally.js'
import { inFlight } from '../workloads/workload.js'
import type { CloudAdapter } from './peers.js'
import type { StepName } from './task.js'
import type { CloudWorkloadId } from './workloads.js'

export interface StepContext {
  readonly adapter: CloudAdapter
  readonly data: Dataset
  readonly location: string
  readonly aloneWrites: number
  readonly idleSeconds: number
  /**
   * Measures a section of so many operations. `finish` is counted, but takes no time; `latencies`
   * has the milliseconds of each operation, where there are any.
   */
  measure(
    workload: CloudWorkloadId,
    operations: number,
    work: (latencies: number[]) => Promise<void>,
    finish?: () => Promise<void>,
  ): Promise<void>
  /** Resolves when nothing was written for so long. */
  quiet(forMs: number): Promise<void>
}

const BATCH = 1000
const LOADS_TOGETHER = 16
const TOGETHER_WRITES = 5000
const COLD_READS = 300
const WARM_READS = 20_000
/** Longer than any peer waits before it looks for work again. */
const SETTLED_MS = 6000
/** What goes on behind the last of many writes belongs to them. */
const PUT_AFTERMATH_MS = 250

export const STEPS: Record<StepName, (context: StepContext) => Promise<void>> = {
  writes,
  load,
  open,
  'cold-reads': coldReads,
  scan,
  idle,
}

async function writes(context: StepContext): Promise<void> {
  const { adapter, data, aloneWrites, quiet } = context
  await opened(context)
  const write = (i: number): Promise<unknown> => {
    const index = data.order[i % data.count] as number
    return adapter.putDurable(data.key(index), data.value(index))
  }
  // The first write makes the table.
  await write(0)
  const aftermath = (): Promise<void> => quiet(PUT_AFTERMATH_MS)
  await context.measure(
    'put-1',
    aloneWrites,
    (latencies) => oneAtATime(aloneWrites, latencies, (i) => write(i + 1)),
    aftermath,
  )
  await context.measure(
    'put-64',
    TOGETHER_WRITES,
    () => inFlight(64, TOGETHER_WRITES, (i) => write(aloneWrites + 1 + i)),
    aftermath,
  )
  await adapter.close()
  // Another opening finds them: they were durable.
  await opened(context)
  const order = Array.from({ length: 100 }, (_, i) => data.order[aloneWrites + i] as number)
  await expectReadable(context, order)
  await adapter.close()
}

async function load(context: StepContext): Promise<void> {
  const { adapter, data, quiet } = context
  await opened(context)
  const batches = Math.ceil(data.count / BATCH)
  const write = (i: number): Promise<unknown> => {
    const indices = Array.from(data.order.subarray(i * BATCH, (i + 1) * BATCH))
    return adapter.writeBatch(
      indices.map((index) => data.key(index)),
      indices.map((index) => data.value(index)),
    )
  }
  await context.measure('load', data.count, async () => {
    await inFlight(LOADS_TOGETHER, batches, write)
    await adapter.drain()
  })
  await context.measure('settle', data.count, async () => {
    await adapter.settle()
    await quiet(SETTLED_MS)
    await adapter.close()
  })
}

async function open(context: StepContext): Promise<void> {
  const { adapter, data } = context
  for (const workload of ['open', 'reopen'] as const) {
    const index = Math.floor(data.count / (workload === 'open' ? 2 : 3))
    await context.measure(workload, 1, async () => {
      await opened(context)
      await expectReadable(context, [index])
    })
    await adapter.close()
  }
}

/** Each read is of another stretch of the keys, so that none finds the block of an earlier one. */
async function coldReads(context: StepContext): Promise<void> {
  const { adapter, data } = context
  await opened(context)
  const count = Math.min(COLD_READS, data.count)
  const stretch = data.count / count
  const drawn = data.draw(count, 60)
  const indices = Array.from(shuffled(count, 61), (at, i) =>
    Math.floor((at + (drawn[i] as number) / data.count) * stretch),
  )
  const tally = new Tally()
  await context.measure('cold-get', count, (latencies) =>
    oneAtATime(count, latencies, async (i) => {
      const found = await adapter.get(data.key(indices[i] as number))
      if (found !== undefined) tally.value(found)
    }),
  )
  tally.expect(tallyOfValues(data, indices), 'cold reads')
  await adapter.close()
}

async function scan(context: StepContext): Promise<void> {
  const { adapter, data } = context
  await opened(context)
  const scanned = new Tally()
  await context.measure('scan', data.count, () => adapter.scan(scanned, { reverse: false }))
  scanned.expect(tallyOfScan(data, false), 'the scan')
  const indices = data.draw(WARM_READS, 62)
  const read = new Tally()
  await context.measure('warm-get', WARM_READS, async () => {
    for (const index of indices) {
      const found = await adapter.get(data.key(index))
      if (found !== undefined) read.value(found)
    }
  })
  read.expect(tallyOfValues(data, indices), 'warm reads')
  await adapter.close()
}

async function idle(context: StepContext): Promise<void> {
  const { adapter, data, idleSeconds, quiet } = context
  await opened(context)
  await adapter.putDurable(data.key(0), data.value(0))
  await expectReadable(context, [0])
  await quiet(SETTLED_MS)
  await context.measure('idle', 1, () => sleep(idleSeconds * 1000))
  await adapter.close()
}

function opened({ adapter, location }: StepContext): Promise<void> {
  return adapter.open(location, { cache: 'ample', durable: true })
}

async function expectReadable({ adapter, data }: StepContext, indices: number[]): Promise<void> {
  const tally = new Tally()
  for (const index of indices) {
    const found = await adapter.get(data.key(index))
    if (found !== undefined) tally.value(found)
  }
  tally.expect(tallyOfValues(data, indices), 'what was written')
}

async function oneAtATime(
  count: number,
  latencies: number[],
  operation: (index: number) => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const start = monotonicMs()
    await operation(i)
    latencies.push(monotonicMs() - start)
  }
}
