import { spawn } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { LONG, tempDirectory } from '@firn/test-support'
import { expect, test } from 'vitest'
import { FsObjectStore } from '../src/fs.js'

const PROCESSES = LONG ? 8 : 4
const ROUNDS = LONG ? 200 : 40
const INCREMENTS = LONG ? 60 : 20

interface Outcome {
  name: string
  created: number[]
  attempts: number
}

interface Racer {
  ready: Promise<void>
  start(): void
  kill(): void
  outcome: Promise<Outcome | undefined>
}

function startRacer(directory: string, name: string, rounds: number, increments: number): Racer {
  const program = new URL('racing-process.mjs', import.meta.url).pathname
  const child = spawn(process.execPath, [program, directory, name, `${rounds}`, `${increments}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ready = lines.next().then(() => {})
  const outcome = ready.then(async () => {
    const line = await lines.next()
    return line.done === true ? undefined : (JSON.parse(line.value) as Outcome)
  })
  return {
    ready,
    start: () => void child.stdin.write('go\n'),
    kill: () => void child.kill('SIGKILL'),
    outcome,
  }
}

test('lets one of several processes create each object, and count without losing one', async () => {
  const directory = tempDirectory()
  const store = new FsObjectStore(directory, { fsync: false })
  await store.put('counter', new TextEncoder().encode('1000'))
  const racers = Array.from({ length: PROCESSES }, (_, i) =>
    startRacer(directory, `p${i}`, ROUNDS, INCREMENTS),
  )
  await Promise.all(racers.map((racer) => racer.ready))
  for (const racer of racers) racer.start()
  const outcomes = await Promise.all(racers.map((racer) => racer.outcome))

  const winners = new Map<number, string>()
  for (const outcome of outcomes) {
    for (const round of outcome?.created ?? []) {
      expect(winners.has(round)).toBe(false)
      winners.set(round, outcome?.name ?? '')
    }
  }
  expect(winners.size).toBe(ROUNDS)
  for (const [round, name] of winners) {
    const { bytes } = await store.get(`create/${round}`)
    expect(new TextDecoder().decode(bytes)).toBe(name)
  }
  const counter = await store.get('counter')
  expect(Number(new TextDecoder().decode(counter.bytes))).toBe(1000 + PROCESSES * INCREMENTS)
  expect(await fs.readdir(path.join(directory, ',tmp'))).toEqual([])
  expect(await fs.readdir(path.join(directory, ',lock'))).toEqual([])
  await store.close()
}, 120_000)

test('goes on when racing processes are killed', async () => {
  const directory = tempDirectory()
  const store = new FsObjectStore(directory, { fsync: false })
  await store.put('counter', new TextEncoder().encode('1000'))
  for (let round = 0; round < (LONG ? 20 : 3); round++) {
    const doomed = [0, 1, 2].map((i) => startRacer(directory, `p${i}`, 0, 1_000_000))
    await Promise.all(doomed.map((racer) => racer.ready))
    for (const racer of doomed) racer.start()
    const counted = async () => Number(new TextDecoder().decode((await store.get('counter')).bytes))
    const before = await counted()
    while ((await counted()) < before + 20) await new Promise((resolve) => setImmediate(resolve))
    for (const racer of doomed) racer.kill()
    await Promise.all(doomed.map((racer) => racer.outcome))
    const { bytes, etag } = await store.get('counter')
    const next = Number(new TextDecoder().decode(bytes)) + 1
    await store.put('counter', new TextEncoder().encode(`${next}`), { ifMatch: etag })
  }
  const late = new FsObjectStore(directory, { fsync: false })
  await late.put('last.txt', new Uint8Array(1))
  await late.put('last.txt', new Uint8Array(2))
  expect(await fs.readdir(path.join(directory, ',tmp'))).toEqual([])
  expect(await fs.readdir(path.join(directory, ',lock'))).toEqual([])
  await late.close()
  await store.close()
}, 120_000)
