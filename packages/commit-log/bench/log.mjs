// Medians of the numbers in the README: node bench/log.mjs [directory on the disk to measure]
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { systemEnv, ulid } from '@firn/env'
import { FileCommitLog } from '../dist/file.js'

const ROUNDS = 9
const PAYLOAD = new Uint8Array(130)
const directory = fs.mkdtempSync(path.join(process.argv[2] ?? os.tmpdir(), 'firn-bench-'))

const results = new Map()
function record(name, value) {
  results.set(name, [...(results.get(name) ?? []), value])
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function appender(log, last = 0) {
  let version = last
  return () => {
    version++
    return log.append({ version, timestamp: version, token: ulid(systemEnv), payload: PAYLOAD })
  }
}

async function durableAppends(round) {
  const at = path.join(directory, `appends-${round}`)
  const log = await FileCommitLog.open(at)
  const append = appender(log)
  for (let i = 0; i < 50; i++) await append()

  const raw = path.join(directory, `raw-${round}`)
  fs.writeFileSync(raw, new Uint8Array(1 << 20))
  const fd = fs.openSync(raw, fs.constants.O_WRONLY | fs.constants.O_DSYNC)
  fs.fsyncSync(fd)
  const bytes = new Uint8Array(PAYLOAD.length + 56)
  const write = (position) =>
    new Promise((resolve, reject) => {
      fs.write(fd, bytes, 0, bytes.length, position, (error) => (error ? reject(error) : resolve()))
    })
  const count = 400
  const one = await timed(async () => {
    for (let i = 0; i < count; i++) await append()
  })
  record('one at a time, µs', (one / count) * 1000)
  const bare = await timed(async () => {
    for (let i = 0; i < count; i++) await write(i * bytes.length)
  })
  record('bare O_DSYNC write by a thread, µs', (bare / count) * 1000)
  const blocking = await timed(async () => {
    for (let i = 0; i < count; i++) fs.writeSync(fd, bytes, 0, bytes.length, i * bytes.length)
  })
  record('bare O_DSYNC write in place, µs', (blocking / count) * 1000)
  fs.closeSync(fd)

  const many = 20_000
  const chain = async () => {
    for (let i = 0; i < many / 64; i++) await append()
  }
  const inFlight = await timed(() => Promise.all(Array.from({ length: 64 }, chain)))
  record('64 in flight, appends/s', (many / inFlight) * 1000)
  await log.close()
}

async function opening(name, entries) {
  const at = path.join(directory, name)
  if (!fs.existsSync(at)) {
    const log = await FileCommitLog.open(at)
    const append = appender(log)
    await Promise.all(Array.from({ length: entries }, append))
    await log.close()
  }
  let log
  const open = await timed(async () => {
    log = await FileCommitLog.open(at)
  })
  let count = 0
  const read = await timed(async () => {
    for await (const _ of log.readAfter(0)) count++
  })
  if (count !== entries) throw new Error(`${count} entries of ${entries}`)
  const close = await timed(() => log.close())
  record(`open ${name}, ms`, open)
  record(`open and read ${name}, ms`, open + read)
  record(`close ${name}, ms`, close)
}

try {
  for (let round = 0; round < ROUNDS; round++) {
    await durableAppends(round)
    await opening('10 entries', 10)
    await opening('10,000 entries', 10_000)
  }
  for (const [name, values] of results) {
    const sorted = values.sort((a, b) => a - b)
    const [low, median, high] = [0, sorted.length >> 1, sorted.length - 1].map((i) => sorted[i])
    const text = (value) => (value > 1000 ? Math.round(value) : Number(value.toPrecision(3)))
    process.stdout.write(`${name.padEnd(36)}${text(median)}  (${text(low)} to ${text(high)})\n`)
  }
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
