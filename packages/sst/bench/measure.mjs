// Measures the hot paths over 500,000 keys of 16 bytes and values of 100, half of which compress.
// By hand, after a build: node bench/measure.mjs [--codec lz4] [--block 8192] [--runs 5]
import { parseArgs } from 'node:util'
import { BlockCache } from '@firn/block-cache'
import {
  FOUND,
  memorySource,
  PENDING,
  POSITIONED,
  SstLookup,
  SstReader,
  SstWriter,
} from '@firn/sst'

const { values: flags } = parseArgs({
  options: {
    codec: { type: 'string', multiple: true },
    block: { type: 'string', multiple: true },
    keys: { type: 'string', default: 'decimal' },
    runs: { type: 'string', default: '5' },
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

const median = (samples) => samples.toSorted((a, b) => a - b)[samples.length >> 1]

/** Median nanoseconds per operation. */
async function time(operations, run) {
  const samples = []
  for (let i = 0; i < runs; i++) {
    const start = process.hrtime.bigint()
    await run()
    samples.push(Number(process.hrtime.bigint() - start) / operations)
  }
  return median(samples)
}

function write(compression, blockBytes) {
  const writer = new SstWriter({ fileId: 'bench', compression, blockBytes, timestamps: 'record' })
  const value = new Uint8Array(VALUE_BYTES).fill(0x61)
  const chunks = []
  for (let i = 0; i < count; i++) {
    const at = (i * 52) % (valuePool.length - 64)
    for (let j = 0; j < 50; j++) value[j] = valuePool[at + j]
    writer.append(
      keys,
      i * KEY_BYTES,
      (i + 1) * KEY_BYTES,
      1_700_000_000_000_000,
      1,
      value,
      0,
      VALUE_BYTES,
    )
    if ((i & 0xfff) === 0) chunks.push(...writer.take())
  }
  writer.finish()
  chunks.push(...writer.take())
  return chunks
}

const results = []
for (const codec of flags.codec ?? ['none', 'lz4', 'deflate']) {
  for (const block of flags.block ?? ['4096', '8192', '16384']) {
    results.push(await measure(codec, Number(block)))
    if (!flags.json) console.log(JSON.stringify(results.at(-1)))
  }
}
if (flags.json) console.log(JSON.stringify(results, undefined, 1))
else
  console.table(
    Object.fromEntries(results.map(({ codec, block, ...rest }) => [`${codec} ${block}`, rest])),
  )

async function measure(codec, block) {
  const row = { codec, block }
  let chunks = []
  row['write M/s'] = round(
    1e3 /
      (await time(count, () => {
        chunks = write(codec, block)
      })),
  )
  const source = memorySource(chunks)
  const cache = new BlockCache({ bytes: 256 * 1024 * 1024 })
  const reader = await SstReader.open(source, { cache })
  row.MB = round(reader.bytes / 1e6)
  row['index KB'] = Math.round(reader.file.index.memoryBytes / 1e3)

  row['cold scan ns'] = round(
    await time(count, async () => {
      const cursor = reader.cursor({ fill: false, readAheadBytes: 256 * 1024, private: false })
      let status = cursor.first()
      for (;;) {
        if (status === PENDING) status = await cursor.load()
        if (status !== POSITIONED) break
        status = cursor.next()
      }
    }),
  )
  const lookup = new SstLookup()
  let _loads = 0
  for (let i = 0; i < count; i++) {
    lookup.set(keys, i * KEY_BYTES, (i + 1) * KEY_BYTES, Number.MAX_SAFE_INTEGER)
    if (reader.find(lookup) === -1) {
      await reader.load(lookup)
      _loads++
    }
  }
  row['find ns'] = round(
    await time(count, () => {
      for (let i = 0; i < count; i++) {
        const at = order[i] * KEY_BYTES
        lookup.set(keys, at, at + KEY_BYTES, Number.MAX_SAFE_INTEGER)
        if (reader.find(lookup) !== FOUND) throw new Error('lost')
      }
    }),
  )
  const absent = keys.slice()
  for (let i = 0; i < count; i++) absent[(i + 1) * KEY_BYTES - 1] ^= 1
  let falsePositives = 0
  row['absent ns'] = round(
    await time(count, () => {
      falsePositives = 0
      for (let i = 0; i < count; i++) {
        const at = order[i] * KEY_BYTES
        lookup.set(absent, at, at + KEY_BYTES, Number.MAX_SAFE_INTEGER)
        if (reader.mayContain(lookup)) falsePositives++
        if (reader.find(lookup) === FOUND) throw new Error('made up')
      }
    }),
  )
  row['false +%'] = round((falsePositives / count) * 100)
  for (const [name, options] of [
    ['next ns', {}],
    ['shared next ns', { private: false }],
    ['reverse ns', { reverse: true }],
  ]) {
    row[name] = round(
      await time(count, () => {
        const cursor = reader.cursor(options)
        let status = cursor.first()
        let rows = 0
        while (status === POSITIONED) {
          rows++
          status = cursor.next()
        }
        if (status === PENDING || rows !== count) throw new Error('not all')
      }),
    )
  }
  row['views M/s'] = round(
    1e3 /
      (await time(count, () => {
        const cursor = reader.cursor()
        let page = []
        for (let status = cursor.first(); status === POSITIONED; status = cursor.next()) {
          page.push([
            new Uint8Array(
              cursor.keyBytes.buffer,
              cursor.keyStart,
              cursor.keyEnd - cursor.keyStart,
            ),
            new Uint8Array(
              cursor.valueBytes.buffer,
              cursor.valueStart,
              cursor.valueEnd - cursor.valueStart,
            ),
          ])
          if (page.length === 1000) page = []
        }
      })),
  )
  const seeks = 20_000
  row['seek+50 us'] = round(
    (await time(seeks, () => {
      const cursor = reader.cursor()
      for (let i = 0; i < seeks; i++) {
        const at = order[i] * KEY_BYTES
        let status = cursor.seek(keys, at, at + KEY_BYTES, true)
        for (let j = 0; j < 50 && status === POSITIONED; j++) status = cursor.next()
        if (status === PENDING) throw new Error('cold')
      }
    })) / 1e3,
  )
  row['seek us'] = round(
    (await time(seeks, () => {
      const cursor = reader.cursor()
      for (let i = 0; i < seeks; i++) {
        const at = order[i] * KEY_BYTES
        cursor.seek(keys, at, at + KEY_BYTES, true)
      }
    })) / 1e3,
  )
  // Cold point reads: a cache of nothing, the source in memory: what decoding a block costs.
  const cold = await SstReader.open(source, { cache: new BlockCache({ bytes: 0 }) })
  const reads = 5000
  row['cold find us'] = round(
    (await time(reads, async () => {
      for (let i = 0; i < reads; i++) {
        const at = order[i] * KEY_BYTES
        lookup.set(keys, at, at + KEY_BYTES, Number.MAX_SAFE_INTEGER)
        await cold.load(lookup)
        if (cold.find(lookup) !== FOUND) throw new Error('lost')
      }
    })) / 1e3,
  )
  await cold.close()
  await reader.close()
  return row
}

function round(value) {
  return Number(value.toPrecision(3))
}
