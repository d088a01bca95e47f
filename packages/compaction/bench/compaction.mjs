// Records per second of compactions in memory, medians of five runs:  node bench/compaction.mjs

import { emptyState, fileMeta } from '@firn/manifest'
import { MemoryObjectStore } from '@firn/object-store'
import { storeFiles, writeFiles } from '@firn/sst/store'
import { planLeveled, runCompaction } from '../dist/index.js'

const RECORDS = 1_000_000
const FILES = 4

class Records {
  constructor(numbers) {
    this.numbers = numbers
    this.reverse = false
    this.stable = false
    this.keyBytes = new Uint8Array(20)
    this.keyBytes[3] = 1
    this.keyStart = 0
    this.keyEnd = 20
    this.kind = 1
    this.valueBytes = new Uint8Array(100)
    for (let i = 0; i < 100; i++) this.valueBytes[i] = (i * 7) & 63
    this.valueStart = 0
    this.valueEnd = 100
  }
  first() {
    this.at = -1
    return this.next()
  }
  next() {
    if (++this.at === this.numbers.length) return 0
    let n = this.numbers[this.at]
    for (let i = 19; i >= 4; i--) {
      this.keyBytes[i] = 48 + (n % 10)
      n = Math.floor(n / 10)
    }
    return 1
  }
  async load() {}
  close() {}
}

let ids = 0
const newFileId = () => `0-${String(++ids).padStart(26, '0')}`
const cpu = () => process.cpuUsage().user / 1000
for (const compression of ['none', 'lz4']) {
  const store = new MemoryObjectStore()
  const files = storeFiles(store, (id) => id)
  const tableOptions = () => ({ compression })
  const level0 = []
  let fill = 0
  for (let f = 0; f < FILES; f++) {
    const cursor = new Records(Array.from({ length: RECORDS / FILES }, (_, i) => i * FILES + f))
    cursor.timestamp = 1_700_000_000_000_000 + f
    const start = performance.now()
    const written = await writeFiles(cursor, {
      ...files,
      newFileId,
      tableOptions,
      splitTables: false,
      timestamps: 'record',
      targetFileBytes: 2 ** 30,
    })
    level0.unshift(...written.map((file) => fileMeta(file, { level: 0, commitFile: false })))
    fill += performance.now() - start
  }
  const options = { history: 'none', compression, statistics: [] }
  const table = { id: 1, name: 't', options, createdAt: 1, historyFloor: 0, levels: [] }
  const state = {
    ...emptyState(),
    version: 9,
    timestamp: 9,
    flushedThrough: 9,
    level0,
    tables: new Map([[1, table]]),
  }
  const plan = planLeveled(state, { now: 1 })
  const rates = []
  const cpuRates = []
  for (let run = 0; run < 5; run++) {
    const start = performance.now()
    const cpuStart = cpu()
    const { added, recordsRead } = await runCompaction(plan, { ...files, newFileId })
    rates.push(recordsRead / 1000 / (performance.now() - start))
    cpuRates.push(recordsRead / 1000 / (cpu() - cpuStart))
    await files.discard(added.map(({ file }) => file.id))
  }
  const median = (list) => list.sort((a, b) => a - b)[2].toFixed(2)
  console.log(
    `${compression.padEnd(5)} writeFiles ${(RECORDS / 1000 / fill).toFixed(2)} M/s  merge of ${FILES}: ${median(rates)} M records/s (${median(cpuRates)} per CPU second)`,
  )
}
