// Commits as fast as it can, in the database it is told to open, until it is killed. Each line of
// its output acknowledges one commit: what it printed before it died must be there afterwards.
import { writeSync } from 'node:fs'
import { open } from '@firn/engine'

const [location = '', first = '0', options = '{}'] = process.argv.slice(2)
const db = await open(location, JSON.parse(options))
const orders = db.table('orders', { keys: 'tuple', values: 'json', history: 'all' })
const lines = db.table('lines', { keys: 'tuple', values: 'json', history: 'all' })
writeSync(1, 'open\n')

// Four writers at a time, so that commits are grouped; each order's rows span two tables.
let next = Number(first)
async function writer() {
  for (;;) {
    const n = next++
    const rows = (n * 7) % 13
    const batch = db.batch()
    batch.put(orders, [n], { n, rows })
    for (let i = 0; i < rows; i++)
      batch.put(lines, [n, i], { n, i, text: 'x'.repeat((n * 31) % 200) })
    batch.put(orders, ['last'], { n })
    const { version } = await batch.write()
    writeSync(1, `${n} ${version}\n`)
  }
}
await Promise.all([writer(), writer(), writer(), writer()])
