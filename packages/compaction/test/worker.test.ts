import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
// From dist: a thread runs what was built.
import { type CompactionPlan, type MergePlan, planInputs } from '@firn/compaction'
import { CompactionWorker, CompactionWorkerError } from '@firn/compaction/worker'
import { ClosedError, InvalidArgumentError, isFirnError } from '@firn/env'
import { FsObjectStore } from '@firn/object-store/fs'
import { outputOf, tempDirectory } from '@firn/test-support'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SmallDatabase } from './small-database.js'

let directory: string
let database: SmallDatabase
let worker: CompactionWorker

beforeEach(async () => {
  directory = tempDirectory()
  const store = new FsObjectStore(directory, { fsync: false })
  const leveled = { level0Trigger: 2, targetFileBytes: 1e6 }
  database = new SmallDatabase(['none'], leveled, store)
  for (let round = 0; round < 2; round++) {
    const writes = Array.from(
      { length: 400 },
      (_, i) => `1:${1000 + i * (round + 1)}=${'v'.repeat(50)}`,
    )
    await database.commit(writes, true)
  }
  worker = new CompactionWorker({
    store: { kind: 'fs', directory, fsync: false },
    incarnation: 'x',
    blockBytes: 128,
  })
})

afterEach(async () => {
  await worker.close()
  await database.store.close()
})

function plan(): MergePlan {
  return database.plan({ targetFileBytes: 6000 }) as MergePlan
}

async function ssts(): Promise<string[]> {
  const all: string[] = []
  for await (const { key } of database.store.list()) all.push(key)
  return all
}

describe('CompactionWorker', () => {
  test('does what an inline compaction does', async () => {
    const progress: number[] = []
    const result = await worker.run(plan(), {
      baseVersion: 4,
      onProgress: ({ recordsRead }) => progress.push(recordsRead),
    })
    const inline = await database.run(plan())
    const withoutIds = (all: typeof inline) => ({
      ...all,
      added: all.added.map(({ table, file }) => ({ table, file: { ...file, id: '' } })),
    })
    expect(withoutIds(result)).toEqual(withoutIds(inline))
    expect(result.added.length).toBeGreaterThan(5)
    expect(result.added[0]?.file.id).toMatch(/^4-[0-9A-Z]{26}$/)
    expect(progress.at(-1)).toBe(result.recordsRead)
    database.commitResult(result)
    expect((await database.read(1, [database.state.timestamp]))[0]).toEqual(
      database.model(1, database.state.timestamp),
    )
  })

  test('runs several plans, one after the other or at once', async () => {
    const results = await Promise.all([1, 2].map(() => worker.run(plan(), { baseVersion: 4 })))
    expect(results[0]?.recordsRead).toBe(results[1]?.recordsRead)
    expect((await worker.run(plan(), { baseVersion: 4 })).recordsRead).toBe(800)
  })

  test('keeps the code and the file of an error', async () => {
    const made = plan()
    const [input] = planInputs(made)
    const path = (await readdir(directory, { recursive: true, withFileTypes: true })).find(
      (entry) => entry.isFile() && entry.name.includes(input?.id ?? ''),
    )
    await writeFile(
      join(path?.parentPath ?? '', path?.name ?? ''),
      new Uint8Array(input?.bytes ?? 0),
    )
    const before = await ssts()
    const error = await worker.run(made, { baseVersion: 4 }).catch((reason) => reason)
    expect(isFirnError(error, 'FIRN_CORRUPTION')).toBe(true)
    expect(error.fileId).toBe(input?.id)
    const gone: CompactionPlan = {
      ...made,
      runs: [[{ ...(input as NonNullable<typeof input>), id: `0-${'0'.repeat(26)}` }]],
    }
    const missing = await worker.run(gone, { baseVersion: 4 }).catch((reason) => reason)
    expect(isFirnError(missing, 'FIRN_OBJECT_NOT_FOUND')).toBe(true)
    expect(await ssts()).toEqual(before)
  })

  test('42: stops at an abort, and leaves no output', async () => {
    const before = await ssts()
    const controller = new AbortController()
    const running = worker.run(plan(), { baseVersion: 4, signal: controller.signal })
    controller.abort(new Error('not now'))
    await expect(running).rejects.toThrow('not now')
    expect(await ssts()).toEqual(before)
    const late = worker.run(plan(), { baseVersion: 4, signal: controller.signal })
    await expect(late).rejects.toThrow('not now')
  })

  test('41: ends runs under way when it is closed, and takes no more', async () => {
    const before = await ssts()
    const running = worker.run(plan(), { baseVersion: 4 })
    const ended = expect(running).rejects.toThrow(ClosedError)
    await Promise.all([worker.close(), worker.close(), ended])
    expect(await ssts()).toEqual(before)
    await expect(worker.run(plan(), { baseVersion: 4 })).rejects.toThrow(ClosedError)
    await new CompactionWorker({ store: { kind: 'fs', directory }, incarnation: 'x' }).close()
  })

  test('fails the runs of a thread that dies, and starts another one', async () => {
    let threads = 0
    const kill = (thread: Worker) => {
      if (++threads === 1) void thread.terminate()
    }
    process.on('worker', kill)
    try {
      const lost = await worker.run(plan(), { baseVersion: 4 }).catch((reason) => reason)
      expect(lost).toBeInstanceOf(CompactionWorkerError)
      expect(lost).toMatchObject({ retryable: true, started: false })
      expect((await worker.run(plan(), { baseVersion: 4 })).recordsRead).toBe(800)
      expect(threads).toBe(2)
    } finally {
      process.off('worker', kill)
    }
  })

  test('ends a thread that does not answer to an abort', async () => {
    const hangs = (thread: Worker) => {
      thread.postMessage = () => {}
    }
    process.on('worker', hangs)
    const options = { store: { kind: 'fs', directory }, incarnation: 'x' } as const
    const silent = new CompactionWorker({ ...options, stopTimeoutMs: 20 })
    try {
      const controller = new AbortController()
      const run = silent.run(plan(), { baseVersion: 4, signal: controller.signal })
      const reason = new Error('enough')
      controller.abort(reason)
      await expect(run).rejects.toBe(reason)
      const other = silent.run(plan(), { baseVersion: 4 })
      await Promise.all([silent.close(), expect(other).rejects.toThrow(ClosedError)])
    } finally {
      process.off('worker', hangs)
      await silent.close()
    }
  })

  test('refuses plans that need functions', async () => {
    const made = plan()
    const tables = made.tables.map((table) => ({ ...table, statistics: ['price'] }))
    await expect(worker.run({ ...made, tables }, { baseVersion: 4 })).rejects.toThrow(
      InvalidArgumentError,
    )
  })

  test('keeps the process alive for a run, unless asked not to', async () => {
    const made = plan()
    const json = JSON.stringify(made, (_, value) =>
      value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value,
    )
    const program = (options: string) => `
      import { CompactionWorker } from '@firn/compaction/worker'
      const plan = JSON.parse(${JSON.stringify(json)}, (_, value) => value?.hex === undefined ? value : new Uint8Array(Buffer.from(value.hex, 'hex')))
      const worker = new CompactionWorker({ store: { kind: 'fs', directory: ${JSON.stringify(directory)}, fsync: false }, incarnation: 'x' })
      worker.run(plan, { baseVersion: 4, ${options} }).then(() => console.log('done'))`
    const run = (options: string) => outputOf(program(options), { from: import.meta.dirname })
    expect(await run('')).toBe('done\n')
    expect(await run('keepAlive: true')).toBe('done\n')
    expect(await run('keepAlive: false')).toBe('')
  })

  test('ends in a runtime whose threads have no port to close, as Deno’s', async () => {
    const main = import.meta
      .resolve('@firn/compaction/worker')
      .replace(/worker\.js$/, 'internal/worker-main.js')
    const thread = new Worker(
      `const { parentPort } = require('node:worker_threads')
       parentPort.close = undefined
       import(${JSON.stringify(main)})`,
      { eval: true },
    )
    const errors: unknown[] = []
    thread.on('error', (error) => errors.push(error))
    expect(await once(thread, 'message')).toEqual([{ type: 'ready' }])
    const closed = once(thread, 'message')
    thread.postMessage({ type: 'close' })
    expect(await closed).toEqual([{ type: 'closed' }])
    // What it does behind that would fail by now.
    thread.postMessage({ type: 'close' })
    await once(thread, 'message')
    await thread.terminate()
    expect(errors).toEqual([])
  })
})
