import { expectReadable } from './fill.js'
import { type Context, type Group, inFlight, rate } from './workload.js'

const CHECKED_READS = 1000

/** Single writes with 64 in flight into an empty database, not synced. */
export const puts: Group = {
  name: 'puts',
  workloads: ['put-64'],
  database: 'empty',
  async run(context) {
    const { adapter, directory } = context
    await adapter.open(directory, { cache: 'ample', durable: false })
    const count = context.operations(100_000)
    const { keys, values, order } = records(context, 0, count)
    await rate(context, 'put-64', count, 'ops/s', async () => {
      await inFlight(64, count, (i) => adapter.put(keys[i] as Buffer, values[i] as Buffer))
      await adapter.drain()
    })
    await expectReadable(context, order.slice(0, CHECKED_READS))
    await adapter.close()
  },
}

/** Single writes, each on the disk before its promise resolves. Checked after reopening. */
export const durablePuts: Group = {
  name: 'durable-puts',
  workloads: ['durable-1', 'durable-64'],
  database: 'empty',
  async run(context) {
    const { adapter, data, directory } = context
    await adapter.open(directory, { cache: 'ample', durable: true })
    const alone = Math.min(2000, Math.floor(data.count / 2))
    const together = Math.min(50_000, data.count - alone)
    const first = records(context, 0, alone)
    const second = records(context, alone, together)
    if (context.wants('durable-1')) {
      await rate(context, 'durable-1', alone, 'ops/s', async () => {
        for (let i = 0; i < alone; i++) {
          await adapter.putDurable(first.keys[i] as Buffer, first.values[i] as Buffer)
        }
      })
    }
    if (context.wants('durable-64')) {
      await rate(context, 'durable-64', together, 'ops/s', () =>
        inFlight(64, together, (i) =>
          adapter.putDurable(second.keys[i] as Buffer, second.values[i] as Buffer),
        ),
      )
    }
    await adapter.close()
    await adapter.open(directory, { cache: 'ample', durable: true })
    if (context.wants('durable-1')) await expectReadable(context, first.order)
    if (context.wants('durable-64')) {
      await expectReadable(context, second.order.slice(-CHECKED_READS))
    }
    await adapter.close()
  },
}

interface Records {
  order: number[]
  keys: Buffer[]
  values: Buffer[]
}

function records({ data }: Context, from: number, count: number): Records {
  const order = Array.from(data.order.subarray(from, from + count))
  return { order, keys: order.map((i) => data.key(i)), values: order.map((i) => data.value(i)) }
}
