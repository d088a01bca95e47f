// One of many processes on one database: blind writes, batches across tables, transactions on what
// all share, reads of others' accounts, scans and refreshes at random, until it is told to stop or
// is killed. Prints "ready <n>", then "ack <n> <version>" for each batch, "moved <n>" for each
// transaction that committed and "refused <n>" for each that didn't, then "digest <version> <hash>"
// of what it was asked for. Arguments: location, number, first n, open options as JSON, seed.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { open } from '../../dist/index.js'

const [location, number, first, options, seed] = process.argv.slice(2)
const TOTAL = 1000
const ACCOUNTS = 5
const BANK_ACCOUNTS = 10

let state = Number(seed)
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const db = await open(location, JSON.parse(options))
const TYPES = { keys: 'tuple', values: 'json' }
const events = db.table('events', TYPES)
const accounts = db.table('accounts', TYPES)

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

/** What all processes share is made by whoever comes first. */
async function openBank() {
  await db.transaction(async (tx) => {
    const bank = tx.table('bank', TYPES)
    if ((await bank.count()) > 0) return
    for (let account = 0; account < BANK_ACCOUNTS; account++) await bank.put([account], TOTAL)
  })
}

/** Moves money between accounts of all, and counts in a row of its own that it did. */
async function move(n) {
  const [from, to, most] = [random(BANK_ACCOUNTS), random(BANK_ACCOUNTS), random(100)]
  try {
    await db.transaction(async (tx) => {
      const bank = tx.table('bank', TYPES)
      const tally = tx.table('tally', TYPES)
      const amount = Math.min(most, await bank.get([from]))
      if (from !== to) {
        await bank.put([from], (await bank.get([from])) - amount)
        await bank.put([to], (await bank.get([to])) + amount)
      }
      const key = [Number(number)]
      await tally.put(key, ((await tally.get(key)) ?? 0) + 1)
      await tx.table('events', TYPES).put([Number(number), n], { n, moved: amount })
    })
    process.stdout.write(`moved ${n}\n`)
  } catch (error) {
    if (error.code !== 'FIRN_TRANSACTION_CONFLICT') throw error
    process.stdout.write(`refused ${n}\n`)
  }
}

/** All the money is there, read in a transaction. */
async function assertBank() {
  const amounts = await db.transaction((tx) => tx.table('bank', TYPES).values().toArray())
  const sum = amounts.reduce((total, amount) => total + amount, 0)
  if (sum !== BANK_ACCOUNTS * TOTAL) throw new Error(`the bank holds ${sum}`)
}

/** Of every process, either nothing or one commit's accounts, whole. */
async function assertTotals() {
  const snapshot = await db.snapshot()
  try {
    const rows = await snapshot.table('accounts', TYPES).scan().toArray()
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

await openBank()
process.stdout.write(`ready ${first}\n`)
let n = Number(first)
while (!stopping) {
  const choice = random(10)
  if (choice < 6) {
    const together = 1 + random(4)
    const work = choice < 3 ? commit : move
    await Promise.all(Array.from({ length: together }, () => work(n++)))
  } else if (choice === 6) await (random(2) === 0 ? db.refresh() : assertBank())
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
for (const name of ['accounts', 'bank', 'events', 'tally']) {
  const rows = snapshot.table(name, TYPES)
  for await (const row of rows.scan()) hash.update(JSON.stringify(row))
}
await snapshot.close()
process.stdout.write(`digest ${version} ${hash.digest('hex')}\n`)
await db.close()
process.exit(0)
