// Medians of the numbers in the README: node bench/records.mjs
import { decodeEdits, RecordsWriter, readRecords } from '../dist/index.js'

const ROUNDS = 9

const results = new Map()
function record(name, value) {
  results.set(name, [...(results.get(name) ?? []), value])
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function records() {
  const key = new Uint8Array(16)
  const value = new Uint8Array(100)
  const count = 300_000
  let payload
  const put = await timed(async () => {
    const writer = new RecordsWriter()
    for (let i = 0; i < count; i++) {
      writer.put(1, 1, key, 0, 16, value, 0, 100)
      if (i % 1000 === 999) payload = writer.take()
    }
  })
  record('RecordsWriter.put, ns', (put / count) * 1e6)
  const [edit] = decodeEdits(payload)
  let seen = 0
  const read = await timed(async () => {
    for (let i = 0; i < 300; i++) readRecords(edit.bytes, () => seen++)
  })
  record('readRecords, ns', (read / seen) * 1e6)
}

for (let round = 0; round < ROUNDS; round++) await records()
for (const [name, values] of results) {
  const sorted = values.sort((a, b) => a - b)
  const [low, median, high] = [0, sorted.length >> 1, sorted.length - 1].map((i) => sorted[i])
  const text = (value) => Number(value.toPrecision(3))
  process.stdout.write(`${name.padEnd(36)}${text(median)}  (${text(low)} to ${text(high)})\n`)
}
