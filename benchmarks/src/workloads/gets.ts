import type { Found } from '../adapters/adapter.js'
import { Tally, tallyOfScan, tallyOfValues } from '../tally.js'
import { type Context, type Group, inFlight, rate } from './workload.js'

const MANY = 100

/** Point reads of a database whose data is all in memory. */
export const cachedGets: Group = {
  name: 'cached-gets',
  workloads: ['get', 'get-64', 'get-sync', 'get-missing', 'has', 'get-many'],
  database: 'shared',
  async run(context) {
    const { adapter, data, directory } = context
    await adapter.open(directory, { cache: 'ample', durable: false })
    await warm(context)
    const count = context.operations(200_000)
    const indices = data.draw(count, 10)
    const keys = Array.from(indices, (i) => data.key(i))
    const expected = tallyOfValues(data, indices)
    for (const key of keys.slice(0, count / 10)) await adapter.get(key)

    if (context.wants('get')) {
      const tally = new Tally()
      await rate(context, 'get', count, 'ops/s', async () => {
        for (const key of keys) touch(tally, await adapter.get(key))
      })
      tally.expect(expected, 'get')
    }
    if (context.wants('get-64')) {
      const tally = new Tally()
      await rate(context, 'get-64', count, 'ops/s', () =>
        inFlight(64, count, async (i) => touch(tally, await adapter.get(keys[i] as Buffer))),
      )
      tally.expect(expected, 'get, 64 in flight')
    }
    if (context.wants('get-sync')) {
      const tally = new Tally()
      for (const key of keys.slice(0, count / 10)) adapter.getSync(key)
      await rate(context, 'get-sync', count, 'ops/s', async () => {
        for (const key of keys) touch(tally, adapter.getSync(key))
      })
      tally.expect(expected, 'getSync')
    }
    if (context.wants('get-missing')) await missing(context, indices)
    if (context.wants('has')) await present(context, keys, indices)
    if (context.wants('get-many')) {
      const tally = new Tally()
      const groups: Buffer[][] = []
      for (let i = 0; i < count; i += MANY) groups.push(keys.slice(i, i + MANY))
      await rate(context, 'get-many', count, 'ops/s', async () => {
        for (const group of groups) {
          for (const found of await adapter.getMany(group)) touch(tally, found)
        }
      })
      tally.expect(expected, 'get-many')
    }
    await adapter.close()
  },
}

/** Point reads through a cache that is far too small, in a process that has read nothing yet. */
export const uncachedGets: Group = {
  name: 'uncached-gets',
  workloads: ['get-uncached'],
  database: 'shared',
  async run(context) {
    const { adapter, data, directory } = context
    await adapter.open(directory, { cache: 'small', durable: false })
    const indices = data.draw(context.operations(50_000), 20)
    const keys = Array.from(indices, (i) => data.key(i))
    const tally = new Tally()
    await rate(context, 'get-uncached', keys.length, 'ops/s', async () => {
      for (const key of keys) touch(tally, await adapter.get(key))
    })
    tally.expect(tallyOfValues(data, indices), 'uncached get')
    await adapter.close()
  },
}

/** Reads everything once, so that it is cached wherever the peer caches. */
async function warm({ adapter, data }: Context): Promise<void> {
  const tally = new Tally()
  await adapter.scan(tally, { reverse: false })
  tally.expect(tallyOfScan(data, false), 'the scan that warms the cache')
}

async function missing(context: Context, indices: Uint32Array): Promise<void> {
  const keys = Array.from(indices, (i) => context.data.missingKey(i))
  let found = 0
  await rate(context, 'get-missing', keys.length, 'ops/s', async () => {
    for (const key of keys) if ((await context.adapter.get(key)) !== undefined) found++
  })
  if (found !== 0) throw new Error(`${found} keys were found that were never written`)
}

/** `has` of keys that are there and of keys that aren't, by turns. */
async function present(context: Context, keys: Buffer[], indices: Uint32Array): Promise<void> {
  const { adapter, data } = context
  const mixed = keys.map((key, i) => (i % 2 === 0 ? key : data.missingKey(indices[i] as number)))
  let found = 0
  await rate(context, 'has', mixed.length, 'ops/s', async () => {
    for (const key of mixed) if (await adapter.has(key)) found++
  })
  if (found !== Math.ceil(mixed.length / 2)) throw new Error(`has() found ${found} of them`)
}

function touch(tally: Tally, found: Found): void {
  if (found === undefined) throw new Error('a record is missing')
  tally.value(found)
}
