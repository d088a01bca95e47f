import { rmSync } from 'node:fs'
import { type CommitLog, MemoryCommitLog, MemoryLogStorage } from '@firn/manifest'
import { MemoryObjectStore } from '@firn/object-store'
import { afterEach, expect, test } from 'vitest'
import { type Database, open } from '../src/index.js'
import { TINY, temporaryDirectory } from './support/locations.js'
import { overriding } from './support/overriding.js'

const directories: string[] = []
const databases: Database[] = []

afterEach(async () => {
  await Promise.allSettled(databases.splice(0).map((db) => db.close()))
  for (const made of directories.splice(0)) rmSync(made, { recursive: true, force: true })
})

const TYPED = { keys: 'utf8', values: 'utf8' } as const
const key = (i: number): string => `key ${String(i).padStart(4, '0')}`

/** A writer with files in level 0, and a reader that has seen but not opened them. */
async function writerAndReader(): Promise<{ writer: Database; reader: Database }> {
  const directory = temporaryDirectory()
  directories.push(directory)
  const writer = await open(`file:${directory}`, { ...TINY, compaction: 'off' })
  databases.push(writer)
  const table = writer.table('t', TYPED)
  for (let i = 0; i < 300; i++) await table.put(key(i), `value ${i}`)
  const reader = await open(`file:${directory}`, { mode: 'read', maxStalenessMs: 3_600_000 })
  databases.push(reader)
  return { writer, reader }
}

/** All of the writer's files are replaced by others. */
async function replaceFiles(writer: Database): Promise<void> {
  const table = writer.table('t', TYPED)
  for (let i = 0; i < 300; i++) await table.put(key(i), `newer ${i}`)
  await writer.compact()
}

test('19: a reader whose files are compacted away reads the files that took their place', async () => {
  const { writer, reader } = await writerAndReader()
  const before = { version: reader.version }
  await using snapshot = await reader.snapshot()
  await replaceFiles(writer)
  const table = reader.table('t', TYPED)
  expect(await table.get(key(7), { at: before })).toBe('value 7')
  expect(await table.get(key(7), { fresh: true })).toBe('newer 7')
  expect(await snapshot.table('t', TYPED).get(key(8))).toBe('value 8')
  expect(await table.getMany([key(1), key(2)])).toEqual(['newer 1', 'newer 2'])
})

test.each([false, true])(
  '19: a scan under way goes on at its moment, row by row (reverse: %s)',
  async (reverse) => {
    const { writer, reader } = await writerAndReader()
    const rows: string[] = []
    let replaced = false
    for await (const page of reader.table('t', TYPED).scan({ reverse }).pages()) {
      rows.push(...page.map(([k, v]) => `${k} = ${v}`))
      if (!replaced) await replaceFiles(writer)
      replaced = true
    }
    const expected = Array.from({ length: 300 }, (_, i) => `${key(i)} = value ${i}`)
    expect(rows).toEqual(reverse ? expected.reverse() : expected)
  },
)

test('19: a file that is gone for good is corruption, not an empty answer', async () => {
  const { writer, reader } = await writerAndReader()
  await writer.close()
  rmSync(`${directories.at(-1)}/sst`, { recursive: true })
  const table = reader.table('t', TYPED)
  await expect(table.get(key(7))).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
  await expect(table.scan().toArray()).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
})

test.each(['read', 'write'] as const)(
  '41: a scan that is open when its database is closed sees all, whatever a refresh brings (mode %s)',
  async (mode) => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    let pause: Promise<void> | undefined
    let paused = (): void => {}
    const inner = new MemoryCommitLog({ storage })
    const slow = overriding<CommitLog>(inner, {
      async *readAfter(...args) {
        if (pause !== undefined) paused()
        await pause
        yield* inner.readAfter(...args)
      },
    })
    await using writer = await open(
      { store, log: () => new MemoryCommitLog({ storage }) },
      { compaction: 'off' },
    )
    for (let i = 0; i < 200; i++) await writer.table('t', TYPED).put(key(i), `value ${i}`)
    // A log that was passed in is the caller's to close.
    const db = await open({ store, log: slow }, { mode, compaction: 'off' })
    databases.push(db)
    await writer.compact()
    const reached = new Promise<void>((resolve) => {
      paused = resolve
    })
    let goOn = (): void => {}
    pause = new Promise((resolve) => {
      goOn = resolve
    })
    const refresh = db.refresh().catch((error: unknown) => error)
    await reached
    let rows = 0
    for await (const [k, v] of db.table('t', TYPED).scan()) {
      expect([k, v]).toEqual([key(rows), `value ${rows}`])
      if (++rows === 10) {
        await db.close()
        goOn()
        await refresh
      }
    }
    expect(rows).toBe(200)
  },
)
