// Makes buffered writes in the database it is told to open, and ends as it is told to. What it
// prints is how many of its writes have resolved: those have to be there afterwards, but for what a
// kill may take.
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { open } from '@firn/engine'

const [location, ending, options = '{}'] = workerData ?? process.argv.slice(2)
const BUFFERED = { durability: 'buffered' }
const tell = (count) => writeSync(1, `${count}\n`)

async function openTable(where) {
  const db = await open(where, JSON.parse(options))
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  const put = (i, bytes = 100) => table.put(keyOf(i), 'x'.repeat(bytes), BUFFERED)
  const putAll = async (count, bytes) => {
    for (let i = 0; i < count; i++) await put(i, bytes)
    tell(count)
  }
  return { db, table, put, putAll }
}

function keyOf(i) {
  return String(i).padStart(8, '0')
}

function spin(ms) {
  for (const until = performance.now() + ms; performance.now() < until; );
}

const ENDINGS = {
  async 'idle, then a kill'({ putAll }) {
    await putAll(1000)
    await sleep(300)
    tell('idle')
    await sleep(600_000)
  },
  async 'a kill in a loop that never yields'({ put }) {
    for (let i = 0; ; i++) {
      await put(i)
      if (i % 50 === 49) tell(i + 1)
    }
  },
  async 'a kill in a slow loop that never yields'({ put }) {
    for (let i = 0; ; i++) {
      await put(i)
      spin(3)
      tell(i + 1)
    }
  },
  async 'a kill while one turn goes on for ever'({ put }) {
    await sleep(50)
    await put(0)
    tell(1)
    spin(600_000)
  },
  async 'the last statement'({ putAll }) {
    await putAll(1000)
  },
  async 'process.exit'({ putAll }) {
    await putAll(1000)
    process.exit(0)
  },
  async 'process.exitCode'({ putAll }) {
    process.exitCode = 7
    await putAll(1000)
  },
  async 'an uncaught error'({ putAll }) {
    await putAll(1000)
    process.nextTick(() => {
      throw new Error('uncaught')
    })
  },
  async 'an unhandled rejection'({ putAll }) {
    await putAll(1000)
    Promise.reject(new Error('unhandled'))
  },
  async 'a write as the process exits'({ put, putAll }) {
    await putAll(999)
    process.on('exit', () => {
      put(999)
      tell(1000)
    })
    process.exit(0)
  },
  // The log begins new segments all the time, by threads that the exit ends.
  async 'process.exit under load'({ put }) {
    const count = 2000 + (process.pid % 1500)
    for (let i = 0; i < count; i++) await put(i, 8000)
    tell(count)
    process.exit(0)
  },
  async 'process.exit with a durable write under way'({ table, putAll }) {
    await putAll(1000)
    void table.put('durable', 'x')
    process.exit(0)
  },
  async 'process.exit by a worker'({ putAll }) {
    await putAll(1000)
    process.exit(0)
  },
  async 'the end of a worker'({ putAll }) {
    await putAll(1000)
  },
  async 'twenty databases'({ putAll }) {
    await putAll(1000)
    for (let i = 0; i < 20; i++) {
      const { putAll: putAllThere } = await openTable(`${location}-${i}`)
      await putAllThere(10)
    }
    process.exit(0)
  },
  async 'closed databases'({ db, putAll }) {
    const before = process.listenerCount('exit')
    const others = []
    for (let i = 0; i < 20; i++) others.push((await openTable(`${location}-${i}`)).db)
    await putAll(1000)
    await Promise.all(others.map((other) => other.close()))
    if (process.listenerCount('exit') !== before) throw new Error('a listener is left, or gone')
    await db.close()
    if (process.listenerCount('exit') !== before - 1) throw new Error('the listener is left')
  },
}

if (isMainThread && ending.includes('worker')) {
  new Worker(new URL(import.meta.url), { workerData: [location, ending, options] })
} else {
  await ENDINGS[ending](await openTable(location))
}
