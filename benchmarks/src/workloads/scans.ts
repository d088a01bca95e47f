import { Tally, tallyOfScan } from '../tally.js'
import { type Context, type Group, rate } from './workload.js'

const SEEK_ROWS = 50

/** Range reads of a database whose data is all in memory. */
export const scans: Group = {
  name: 'scans',
  workloads: ['scan-forward', 'scan-reverse', 'scan-for-await', 'seek-50'],
  database: 'shared',
  async run(context) {
    const { adapter, data, directory } = context
    await adapter.open(directory, { cache: 'ample', durable: false })
    const forward = tallyOfScan(data, false)
    const warm = new Tally()
    await adapter.scan(warm, { reverse: false })
    warm.expect(forward, 'the scan that warms the cache')

    for (const [workload, reverse] of [
      ['scan-forward', false],
      ['scan-reverse', true],
    ] as const) {
      if (!context.wants(workload)) continue
      const tally = new Tally()
      await rate(context, workload, data.count, 'rows/s', () => adapter.scan(tally, { reverse }))
      tally.expect(reverse ? tallyOfScan(data, true) : forward, workload)
    }
    if (context.wants('scan-for-await')) {
      const tally = new Tally()
      await rate(context, 'scan-for-await', data.count, 'rows/s', () => adapter.iterate(tally))
      tally.expect(forward, 'scan-for-await')
    }
    if (context.wants('seek-50')) await seeks(context)
    await adapter.close()
  },
}

async function seeks(context: Context): Promise<void> {
  const { adapter, data } = context
  const count = context.operations(20_000)
  const starts = data.draw(count, 30).map((i) => Math.min(i, data.count - SEEK_ROWS))
  const keys = Array.from(starts, (i) => data.key(i))
  for (const key of keys.slice(0, count / 10)) await adapter.seek(key, SEEK_ROWS, new Tally())

  const tally = new Tally()
  await rate(context, 'seek-50', count, 'ops/s', async () => {
    for (const key of keys) await adapter.seek(key, SEEK_ROWS, tally)
  })
  const expected = new Tally()
  for (const start of starts) {
    for (let i = start; i < start + SEEK_ROWS; i++) expected.row(data.key(i), data.value(i))
  }
  tally.expect(expected, 'seek-50')
}
