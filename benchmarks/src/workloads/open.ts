import { Tally, tallyOfValues } from '../tally.js'
import type { Group } from './workload.js'

/**
 * Opening a database that was closed cleanly, up to and with its first read, in a process that has
 * only loaded the package: nobody gains by opening lazily.
 */
export const opening: Group = {
  name: 'open',
  workloads: ['open'],
  database: 'shared',
  async run(context) {
    const { adapter, data, directory } = context
    const index = Math.floor(data.count / 2)
    const key = data.key(index)
    const tally = new Tally()
    const value = await context.time('open', async () => {
      await adapter.open(directory, { cache: 'ample', durable: false })
      const found = await adapter.get(key)
      if (found !== undefined) tally.value(found)
    })
    tally.expect(tallyOfValues(data, [index]), 'the first read')
    context.report({ workload: 'open', unit: 'ms', value, count: 1 })
    await adapter.close()
  },
}
