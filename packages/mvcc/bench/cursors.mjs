// Nanoseconds of CPU per record of the cursors, medians of nine runs:  node bench/cursors.mjs
import { MergingCursor, POSITIONED, VisibleCursor } from '../dist/index.js'

const RECORDS = 500_000

/** Records in one slab, as a block of an SST holds them: a move costs next to nothing. */
class SlabCursor {
  constructor(keys, width, reverse) {
    this.reverse = reverse
    this.stable = true
    this.slab = keys
    this.width = width
    this.count = keys.length / width
    this.at = 0
    this.keyBytes = keys
    this.keyStart = 0
    this.keyEnd = 0
    this.timestamp = 1_700_000_000_000_000
    this.kind = 1
    this.valueBytes = keys
    this.valueStart = 0
    this.valueEnd = 0
  }
  first() {
    this.at = this.reverse ? this.count : -1
    return this.next()
  }
  seek() {
    throw new Error('not needed')
  }
  next() {
    this.at += this.reverse ? -1 : 1
    if (this.at < 0 || this.at >= this.count) return 0
    this.keyStart = this.at * this.width
    this.keyEnd = this.keyStart + this.width
    return POSITIONED
  }
  async load() {}
  close() {}
}

function slabs(sources, pick) {
  const width = 16
  const lists = Array.from({ length: sources }, () => [])
  for (let i = 0; i < RECORDS; i++) lists[pick(i)].push(i)
  return lists.map((list) => {
    const slab = new Uint8Array(list.length * width)
    list.forEach((n, at) => {
      const text = `key${String(n * 37).padStart(13, '0')}`
      for (let i = 0; i < width; i++) slab[at * width + i] = text.charCodeAt(i)
    })
    return { slab, width }
  })
}

let state = 1
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const shapes = {
  'one source': [1, () => 0],
  '2 at random': [2, () => Math.floor(random() * 2)],
  '5 at random': [5, () => Math.floor(random() * 5)],
  '5, one holds 90 %': [5, () => (random() < 0.9 ? 0 : 1 + Math.floor(random() * 4))],
  '12 at random': [12, () => Math.floor(random() * 12)],
  '64 at random': [64, () => Math.floor(random() * 64)],
}

for (const [name, [count, pick]] of Object.entries(shapes)) {
  const sources = slabs(count, pick)
  for (const reverse of [false, true]) {
    const times = { merge: [], visible: [] }
    for (let run = 0; run < 9; run++) {
      for (const kind of ['merge', 'visible']) {
        const merge = new MergingCursor(
          sources.map(({ slab, width }) => new SlabCursor(slab, width, reverse)),
          { reverse },
        )
        const cursor = kind === 'merge' ? merge : new VisibleCursor(merge, { reverse })
        const start = process.cpuUsage().user
        let rows = 0
        for (let s = cursor.first(); s === POSITIONED; s = cursor.next()) rows++
        times[kind].push(((process.cpuUsage().user - start) * 1e3) / rows)
        if (rows !== RECORDS) throw new Error(`${rows} rows`)
      }
    }
    const median = (list) => list.sort((a, b) => a - b)[4].toFixed(1)
    console.log(
      `${name.padEnd(20)} ${reverse ? 'reverse' : 'forward'}  merge ${median(times.merge)} ns  visible over merge ${median(times.visible)} ns`,
    )
  }
}
