// One of many processes on one database: blind writes, batches across tables, reads of others'
// accounts, scans and refreshes at random, until it is told to stop or is killed. Prints
// "ready <n>", then "ack <n> <version>" for each commit, then "digest <version> <hash>" of what it
// was asked for. Arguments: location, number, first n, open options as JSON, seed.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { open } from '../../dist/index.js'

const [location, number, first, options, seed] = process.argv.slice(2)
const TOTAL = 1000
const ACCOUNTS = 5

let state = Number(seed)
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const db = await open(location, JSON.parse(options))
const events = db.table('events', { keys: 'tuple', values: 'json' })
const accounts = db.table('accounts', { keys: 'tuple', values: 'json' })

/** A row that no other commit has, and all accounts of this process, which add up, in one batch. */
async function commit(n) {
  const batch = db.batch()
  const padding = 'x'.repeat(random(10) === 0 ? 30_000 : random(200))
  batch.put(events, [Number(number), n], { n, padding })
  let left = TOTAL
  for (let account = 0; account < ACCOUNTS; account++) {
    const amount = account === ACCOUNTS - 1 ? left : random(left + 1)
    left -= amount
    batch.put(accounts, [Number(number), account], { n, amount })
  }
  const { version } = await batch.write()
  process.stdout.write(`ack ${n} ${version}\n`)
}

/** Of every process, either nothing or one commit's accounts, whole. */
async function assertTotals() {
  const snapshot = await db.snapshot()
  try {
    const rows = await snapshot
      .table('accounts', { keys: 'tuple', values: 'json' })
      .scan()
      .toArray()
    const sums = new Map()
    for (const [[owner], { n, amount }] of rows) {
      const sum = sums.get(owner) ?? { n, amount: 0, count: 0 }
      if (sum.n !== n) throw new Error(`accounts of ${owner} are of commits ${sum.n} and ${n}`)
      sums.set(owner, { n, amount: sum.amount + amount, count: sum.count + 1 })
    }
    for (const [owner, { amount, count }] of sums) {
      if (amount !== TOTAL || count !== ACCOUNTS) {
        throw new Error(`the accounts of ${owner} add up to ${amount} in ${count} rows`)
      }
    }
  } finally {
    await snapshot.close()
  }
}

let stopping = false
let digestAt
createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, version] = line.split(' ')
  if (word === 'stop') stopping = true
  if (word === 'digest') digestAt?.(Number(version))
})
const asked = new Promise((resolve) => {
  digestAt = resolve
})

process.stdout.write(`ready ${first}\n`)
let n = Number(first)
while (!stopping) {
  const choice = random(10)
  if (choice < 6) {
    const together = 1 + random(4)
    await Promise.all(Array.from({ length: together }, () => commit(n++)))
  } else if (choice === 6) await db.refresh()
  else if (choice === 7) await assertTotals()
  else if (choice === 8) await events.get([random(8), random(n + 1)], { fresh: random(2) === 0 })
  else {
    let rows = 0
    for await (const _ of events.scan({ prefix: [random(8)], limit: 200 })) rows++
    if (rows > 200) throw new Error('more rows than the limit')
  }
}
process.stdout.write('stopped\n')

const version = await asked
await db.refresh()
const hash = createHash('sha256')
const snapshot = await db.snapshot({ at: { version } })
for (const name of ['accounts', 'events']) {
  const rows = snapshot.table(name, { keys: 'tuple', values: 'json' })
  for await (const row of rows.scan()) hash.update(JSON.stringify(row))
}
await snapshot.close()
process.stdout.write(`digest ${version} ${hash.digest('hex')}\n`)
await db.close()
process.exit(0)
