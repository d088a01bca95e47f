// Measures the hot paths over 500,000 keys of 16 bytes and values of 100, half of which compress.
// Run by hand, after a build: node bench/measure.mjs [--codec lz4] [--block 8192] [--runs 7]
//
// Each round measures all configurations in turn, so that noise affects them alike. Prints the
// median and the best of the rounds; on a busy machine, the best shows what the code costs.
import { parseArgs } from 'node:util'
import { BlockCache } from '@firn/block-cache'
import { ABSENT, FOUND, NOT_RESIDENT, PENDING, POSITIONED } from '@firn/mvcc'
import { memorySource, SstLookup, SstReader, SstWriter } from '@firn/sst'

const { values: flags } = parseArgs({
  options: {
    codec: { type: 'string', multiple: true },
    block: { type: 'string', multiple: true },
    keys: { type: 'string', default: 'decimal' },
    runs: { type: 'string', default: '7' },
    count: { type: 'string', default: '500000' },
    json: { type: 'boolean', default: false },
  },
})
const count = Number(flags.count)
const runs = Number(flags.runs)
const KEY_BYTES = 16
const VALUE_BYTES = 100

let state = 42
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const keys = makeKeys()
const valuePool = Uint8Array.from({ length: 1 << 20 }, () => random() * 256)
const order = Int32Array.from({ length: count }, (_, i) => i)
for (let i = count - 1; i > 0; i--) {
  const j = Math.floor(random() * (i + 1))
  const swap = order[i]
  order[i] = order[j]
  order[j] = swap
}

function makeKeys() {
  const bytes = new Uint8Array(count * KEY_BYTES)
  if (flags.keys === 'decimal') {
    for (let i = 0; i < count; i++) {
      const digits = String(i * 2).padStart(KEY_BYTES, '0')
      for (let j = 0; j < KEY_BYTES; j++) bytes[i * KEY_BYTES + j] = digits.charCodeAt(j)
    }
    return bytes
  }
  const all = Array.from({ length: count }, () => {
    const key = Buffer.alloc(KEY_BYTES)
    for (let j = 0; j < KEY_BYTES; j++) key[j] = random() * 256
    return key
  }).sort(Buffer.compare)
  for (let i = 0; i < count; i++) bytes.set(all[i], i * KEY_BYTES)
  return bytes
}

function write(compression, blockBytes) {
  const writer = new SstWriter({ fileId: 'bench', compression, blockBytes, timestamps: 'record' })
  const value = new Uint8Array(VALUE_BYTES).fill(0x61)
  const chunks = []
  for (let i = 0; i < count; i++) {
    const at = (i * 52) % (valuePool.length - 64)
    for (let j = 0; j < 50; j++) value[j] = valuePool[at + j]
    const key = i * KEY_BYTES
    writer.append(keys, key, key + KEY_BYTES, 1_700_000_000_000_000, 1, value, 0, VALUE_BYTES)
    if ((i & 0xfff) === 0) chunks.push(...writer.take())
  }
  writer.finish()
  chunks.push(...writer.take())
  return chunks
}

const absent = keys.slice()
for (let i = 0; i < count; i++) absent[(i + 1) * KEY_BYTES - 1] ^= 1
const SEEKS = 20_000
const COLD_READS = 2000

/** A file with all its blocks cached, and its timed operations: [name, operations, run]. */
async function prepare(codec, block) {
  const source = memorySource(write(codec, block))
  const reader = await SstReader.open(source, { cache: new BlockCache({ bytes: 2 ** 28 }) })
  const cold = await SstReader.open(source, { cache: new BlockCache({ bytes: 0 }) })
  const lookup = new SstLookup()
  const set = (bytes, i) => {
    const at = order[i] * KEY_BYTES
    lookup.set(bytes, at, at + KEY_BYTES, Number.MAX_SAFE_INTEGER)
  }
  let falsePositives = 0
  for (let i = 0; i < count; i++) {
    set(absent, i)
    if (reader.mayContain(lookup)) falsePositives++
    set(keys, i)
    if (reader.find(lookup) === NOT_RESIDENT) await reader.load(lookup)
  }
  const scan = (options) => () => {
    const cursor = reader.cursor(options)
    let rows = 0
    for (let status = cursor.first(); status === POSITIONED; status = cursor.next()) rows++
    if (rows !== count) throw new Error('not all')
  }
  const seek = (length) => () => {
    const cursor = reader.cursor()
    for (let i = 0; i < SEEKS; i++) {
      const at = order[i] * KEY_BYTES
      let status = cursor.seek(keys, at, at + KEY_BYTES, true)
      for (let j = 1; j < length && status === POSITIONED; j++) status = cursor.next()
      if (status === PENDING) throw new Error('cold')
    }
  }
  const find = (bytes, expected) => () => {
    for (let i = 0; i < count; i++) {
      set(bytes, i)
      if (reader.find(lookup) !== expected) throw new Error('wrong')
    }
  }
  const tasks = [
    ['write ns', count, () => void write(codec, block)],
    ['find ns', count, find(keys, FOUND)],
    ['absent ns', count, find(absent, ABSENT)],
    ['scan ns', count, scan({})],
    ['scan shared ns', count, scan({ private: false })],
    ['reverse ns', count, scan({ reverse: true })],
    [
      'scan views ns',
      count,
      () => {
        const cursor = reader.cursor()
        let page = []
        for (let status = cursor.first(); status === POSITIONED; status = cursor.next()) {
          const { keyStart, keyEnd, valueStart, valueEnd } = cursor
          page.push([
            new Uint8Array(cursor.keyBytes.buffer, keyStart, keyEnd - keyStart),
            new Uint8Array(cursor.valueBytes.buffer, valueStart, valueEnd - valueStart),
          ])
          if (page.length === 1000) page = []
        }
      },
    ],
    ['seek ns', SEEKS, seek(1)],
    ['seek + 50 ns', SEEKS, seek(50)],
    [
      'cold scan ns',
      count,
      async () => {
        const cursor = cold.cursor({ fill: false, readAheadBytes: 2 ** 18, private: false })
        let status = cursor.first()
        for (;;) {
          if (status === PENDING) status = await cursor.load()
          if (status !== POSITIONED) break
          status = cursor.next()
        }
      },
    ],
    [
      'cold find ns',
      COLD_READS,
      async () => {
        for (let i = 0; i < COLD_READS; i++) {
          set(keys, i)
          await cold.load(lookup)
          if (cold.find(lookup) !== FOUND) throw new Error('lost')
        }
      },
    ],
  ]
  return {
    name: `${codec} ${block}`,
    size: {
      MB: round(reader.bytes / 1e6),
      'index KB': Math.round(reader.file.index.memoryBytes / 1e3),
      'false +%': round((falsePositives / count) * 100),
    },
    tasks,
    samples: tasks.map(() => []),
  }
}

const files = []
for (const codec of flags.codec ?? ['none', 'lz4', 'deflate']) {
  for (const block of flags.block ?? ['4096', '8192', '16384']) {
    files.push(await prepare(codec, Number(block)))
  }
}
for (let i = 0; i < runs; i++) {
  for (const { tasks, samples } of files) {
    for (const [task, [, operations, run]] of tasks.entries()) {
      const start = process.hrtime.bigint()
      await run()
      samples[task].push(Number(process.hrtime.bigint() - start) / operations)
    }
  }
}
for (const [title, pick] of [
  ['medians', (samples) => samples.toSorted((a, b) => a - b)[samples.length >> 1]],
  ['best', (samples) => Math.min(...samples)],
]) {
  console.log(title)
  const rows = files.map(({ name, size, tasks, samples }) => [
    name,
    { ...size, ...Object.fromEntries(tasks.map(([task], i) => [task, round(pick(samples[i]))])) },
  ])
  if (flags.json) console.log(JSON.stringify(Object.fromEntries(rows)))
  else console.table(Object.fromEntries(rows))
}

function round(value) {
  return Number(value.toPrecision(3))
}
