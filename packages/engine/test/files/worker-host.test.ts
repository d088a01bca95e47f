import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type CompactionPlan, runCompaction } from '@firn/compaction'
import { ClosedError, isFirnError } from '@firn/env'
import { type FileMeta, fileMeta, sstKey } from '@firn/manifest'
import { KIND_PUT, prefixedKey } from '@firn/mvcc'
import { ArrayCursor } from '@firn/mvcc/testing'
import { FsObjectStore } from '@firn/object-store/fs'
import { storeFiles, writeFiles } from '@firn/sst/store'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
// From dist: a thread runs what was built.
import { WorkerHost } from '../../dist/internal/files/worker-host.js'
import { Memtable } from '../../src/internal/memtable/memtable.js'

vi.setConfig({ testTimeout: 60_000 })

const TABLE = 1
const signal = new AbortController().signal
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

let directory: string
let store: FsObjectStore
let inputs: FileMeta[]
let host: WorkerHost
let ids = 0

const files = () => storeFiles(store, (id) => sstKey('x', id))
const newFileId = () => `0-${String(++ids).padStart(26, '0')}`

function newHost(more: { stopTimeoutMs?: number } = {}): WorkerHost {
  const place = { directory, directoryId: undefined, incarnation: 'x', blockBytes: 128 }
  return new WorkerHost({ ...place, ...more })
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firn-worker-'))
  store = new FsObjectStore(directory, { fsync: false })
  inputs = []
  for (const timestamp of [1, 2]) {
    const records = Array.from({ length: 400 }, (_, i) => {
      const key = prefixedKey(TABLE, text(String(1000 + i * timestamp)))
      return { key, timestamp, kind: KIND_PUT, value: new Uint8Array(50) }
    })
    const [written] = await writeFiles(new ArrayCursor(records), {
      ...files(),
      newFileId,
      splitTables: false,
      timestamps: 'record',
      targetFileBytes: 1e6,
      tableOptions: () => ({ compression: 'none' }),
    })
    inputs.unshift(
      fileMeta(written as NonNullable<typeof written>, { level: 0, commitFile: false }),
    )
  }
  host = newHost()
})

afterEach(async () => {
  await host.close()
  await store.close()
  await rm(directory, { recursive: true })
})

function request(runs: FileMeta[] = inputs): { baseVersion: number; plan: CompactionPlan } {
  const table = { id: TABLE, compression: 'none', statistics: [], others: [] } as const
  return {
    baseVersion: 4,
    plan: {
      type: 'merge',
      reason: 'a test',
      runs: runs.map((file) => [file]),
      outputLevel: 1,
      targetFileBytes: 6000,
      tables: [{ ...table, horizon: 2, versions: 0 }],
      flushedTimestamp: 2,
    },
  }
}

async function ssts(): Promise<string[]> {
  const all: string[] = []
  for await (const { key } of store.list()) all.push(key)
  return all
}

describe('a worker thread', () => {
  test('compacts as this thread does', async () => {
    const result = await host.compact(request(), signal)
    const inline = await runCompaction(request().plan, { ...files(), newFileId, blockBytes: 128 })
    const withoutIds = (all: typeof inline) => ({
      ...all,
      added: all.added.map(({ table, file }) => ({ table, file: { ...file, id: '' } })),
    })
    expect(withoutIds(result)).toEqual(withoutIds(inline))
    expect(result.added.length).toBeGreaterThan(5)
    expect(result.added[0]?.file.id).toMatch(/^4-[0-9A-Z]{26}$/)
  })

  test('writes a memtable, though the signal is aborted meanwhile', async () => {
    const memtable = new Memtable()
    for (let i = 0; i < 300; i++) {
      const bytes = text(`${i}value`)
      memtable.table(TABLE).insert(7, KIND_PUT, bytes, 0, bytes.length - 5, bytes, 0, bytes.length)
    }
    const parts = memtable.table(TABLE).parts()
    const controller = new AbortController()
    const flushing = host.flush(
      {
        baseVersion: 4,
        targetFileBytes: 1e6,
        tables: [{ memtable: parts, compression: 'none' }],
      },
      controller.signal,
    )
    controller.abort(new Error('not now'))
    expect(await flushing).toMatchObject([{ level: 0, records: 300, maxTimestamp: 7 }])
  })

  test('does several tasks, one after the other or at once', async () => {
    const results = await Promise.all([1, 2].map(() => host.compact(request(), signal)))
    expect(results[0]?.recordsRead).toBe(results[1]?.recordsRead)
    expect((await host.compact(request(), signal)).recordsRead).toBe(800)
  })

  test('keeps the code and the file of an error', async () => {
    const [input] = inputs as [FileMeta]
    const all = await readdir(directory, { recursive: true, withFileTypes: true })
    const entry = all.find((each) => each.isFile() && each.name.includes(input.id))
    await writeFile(join(entry?.parentPath ?? '', entry?.name ?? ''), new Uint8Array(input.bytes))
    const before = await ssts()
    const error = await host.compact(request(), signal).catch((reason) => reason)
    expect(isFirnError(error, 'FIRN_CORRUPTION')).toBe(true)
    expect(error.fileId).toBe(input.id)
    const gone = request([{ ...input, id: `0-${'0'.repeat(26)}` }])
    const missing = await host.compact(gone, signal).catch((reason) => reason)
    expect(isFirnError(missing, 'FIRN_OBJECT_NOT_FOUND')).toBe(true)
    expect(await ssts()).toEqual(before)
  })

  test('42: stops at an abort, and leaves no output', async () => {
    const before = await ssts()
    const controller = new AbortController()
    const running = host.compact(request(), controller.signal)
    controller.abort(new Error('not now'))
    await expect(running).rejects.toThrow('not now')
    expect(await ssts()).toEqual(before)
    await expect(host.compact(request(), controller.signal)).rejects.toThrow('not now')
  })

  test('41: ends tasks under way when it is closed, and takes no more', async () => {
    const before = await ssts()
    const running = host.compact(request(), signal)
    const ended = expect(running).rejects.toThrow(ClosedError)
    await Promise.all([host.close(), host.close(), ended])
    expect(await ssts()).toEqual(before)
    await expect(host.compact(request(), signal)).rejects.toThrow(ClosedError)
    await newHost().close()
  })

  test('that dies fails its tasks, and another one is started', async () => {
    let threads = 0
    const kill = (thread: Worker) => {
      if (++threads === 1) void thread.terminate()
    }
    process.on('worker', kill)
    try {
      const lost = await host.compact(request(), signal).catch((reason) => reason)
      expect(isFirnError(lost, 'FIRN_THREAD_ENDED')).toBe(true)
      expect(lost).toMatchObject({ retryable: true, started: false })
      expect((await host.compact(request(), signal)).recordsRead).toBe(800)
      expect(threads).toBe(2)
    } finally {
      process.off('worker', kill)
    }
  })

  test('that does not answer to an abort is terminated', async () => {
    const hangs = (thread: Worker) => {
      thread.postMessage = () => {}
    }
    process.on('worker', hangs)
    const silent = newHost({ stopTimeoutMs: 20 })
    try {
      const controller = new AbortController()
      const run = silent.compact(request(), controller.signal)
      const reason = new Error('enough')
      controller.abort(reason)
      await expect(run).rejects.toBe(reason)
      const other = silent.compact(request(), signal)
      await Promise.all([silent.close(), expect(other).rejects.toThrow(ClosedError)])
    } finally {
      process.off('worker', hangs)
      await silent.close()
    }
  })

  test('ends in a runtime whose threads have no port to close, as Deno’s', async () => {
    const main = new URL('../../dist/internal/files/worker-main.js', import.meta.url).href
    const thread = new Worker(
      `const { parentPort } = require('node:worker_threads')
       parentPort.close = undefined
       import(${JSON.stringify(main)})`,
      { eval: true, workerData: { directory, incarnation: 'x' } },
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
