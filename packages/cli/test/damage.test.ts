import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FileCommitLog } from '@firn/commit-log/file'
import { open } from '@firn/engine'
import { systemEnv } from '@firn/env'
import {
  applyEntry,
  type DatabaseState,
  liveFiles,
  openRoot,
  readNewestCheckpoint,
  writeCheckpoint,
} from '@firn/manifest'
import { FsObjectStore } from '@firn/object-store/fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { emptyReport } from '../src/verify/verification.js'
import { verifyFiles } from '../src/verify/verify-files.js'
import { jsonLines, makeConsole } from './console.js'

const console = makeConsole()
const firn = console.firn.bind(console)
const ok = console.ok.bind(console)

/** Files of the database whose path has this in it, oldest name first. */
async function filesOf(part: string): Promise<string[]> {
  const root = console.path('firn_data')
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.slice(root.length).includes(part))
    .sort()
}

async function firstOf(part: string): Promise<string> {
  const [first] = await filesOf(part)
  if (first === undefined) throw new Error(`no file with ${part}`)
  return first
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = (bytes[index] ?? 0) ^ 0x10
  await writeFile(path, bytes)
}

interface Report {
  ok: boolean
  files: number
  records: number
  checkpoints: number
  unreferenced: { files: number; bytes: number }
  replaced: { files: number; bytes: number }
  problems: { where: string; problem: string }[]
}

async function verify(): Promise<Report> {
  const { status, out, err } = await firn(['verify', '--json'])
  expect(err).toBe('')
  const report = JSON.parse(out) as Report
  expect(status).toBe(report.ok ? 0 : 1)
  expect(report.ok).toBe(report.problems.length === 0)
  return report
}

// A database with a file, a checkpoint and entries behind them.
beforeEach(async () => {
  const db = await open(`file:${console.path('firn_data')}`)
  const table = db.table<string, string>('t', { keys: 'utf8', values: 'utf8' })
  const batch = db.batch()
  for (let i = 0; i < 2000; i++) batch.put(table, `key${String(i).padStart(5, '0')}`, `value ${i}`)
  await batch.write()
  await table.delete('key00007')
  await db.compact()
  await table.put('late', 'x')
  await db.close()
})

/** The state that the newest checkpoint holds, the present one, and the store they are in. */
async function present(): Promise<{
  store: FsObjectStore
  checkpointed: DatabaseState
  state: DatabaseState
}> {
  const store = new FsObjectStore(console.path('firn_data'))
  const { incarnation } = await openRoot(store, { createIfMissing: false })
  const checkpointed = await readNewestCheckpoint(store, incarnation)
  if (checkpointed === undefined) throw new Error('no checkpoint')
  let state = checkpointed
  const log = await FileCommitLog.open(console.path('firn_data'), { mode: 'read' })
  for await (const entry of log.readAfter(state.version)) state = applyEntry(state, entry)
  await log.close()
  return { store, checkpointed, state }
}

describe('verify', () => {
  test('finds a sound database whole and says what it saw', async () => {
    const report = await verify()
    expect(report).toMatchObject({ ok: true, problems: [], unreferenced: { files: 0 } })
    expect(report.files).toBeGreaterThan(0)
    expect(report.checkpoints).toBeGreaterThan(0)
    expect(report.records).toBeGreaterThanOrEqual(2000)
    expect(await ok(['verify'])).toMatch(
      /^whole {4}\.\/firn_data: version \d+, \d+ log entries, \d+ checkpoints?, 1 file with 2,00\d records/,
    )
  })

  test('a flipped bit in a file', async () => {
    const path = await firstOf('.sst')
    await flip(path, 100)
    const { problems } = await verify()
    expect(problems).toHaveLength(1)
    expect(problems[0]?.where).toMatch(/^sst\/.*\.sst$/)
    const { status, out } = await firn(['verify'])
    expect(status).toBe(1)
    expect(out).toMatch(/^damaged {2}sst\/.*\n1 problem in \.\/firn_data; undamaged: version/)
  })

  test('a file that is missing, cut, or another one', async () => {
    const path = await firstOf('.sst')
    const bytes = await readFile(path)
    await rename(path, `${path}.away`)
    expect((await verify()).problems.map(({ problem }) => problem)).toContain('the file is missing')
    await writeFile(path, bytes.subarray(0, bytes.length - 1))
    expect((await verify()).problems).toHaveLength(1)
    await writeFile(path, '')
    expect((await verify()).problems).toHaveLength(1)
  })

  test('a damaged checkpoint, which opening would step over', async () => {
    await flip(await firstOf('checkpoints'), 40)
    expect(await ok(['get', 'late', '--table', 't'])).toBe('x\n')
    expect((await verify()).problems).toEqual([
      {
        where: expect.stringMatching(/^checkpoints\//),
        problem: expect.stringContaining('damaged'),
      },
    ])
  })

  test('a damaged log', async () => {
    await flip(await firstOf('.log'), 200)
    const { problems } = await verify()
    expect(problems[0]?.where).toBe('commit log')
  })

  test('a damaged entry in the middle of a log of objects', async () => {
    const shared = ['--db', 'file:./firn_data/shared?log=objects']
    for (const key of ['a', 'b', 'c']) await ok(['put', key, '1', ...shared])
    const [, second = ''] = await filesOf('shared/log')
    await flip(second, -3)
    const { status, out } = await firn(['verify', '--json', ...shared])
    expect(status).toBe(1)
    expect(JSON.parse(out).problems).toEqual([
      { where: 'commit log', problem: expect.stringMatching(/\b2\b|0002/) },
    ])
  })

  test('a checkpoint of something else than the log leads to', async () => {
    const { store, checkpointed } = await present()
    const other = { ...checkpointed, nextTableId: checkpointed.nextTableId + 1 }
    await writeCheckpoint(store, other, systemEnv)
    await store.close()
    expect((await verify()).problems).toEqual([
      {
        where: expect.stringMatching(/^checkpoints\//),
        problem: 'it differs from the state that the log leads to',
      },
    ])
  })

  test('a file that is sound, but not what the manifest says', async () => {
    const { store, state } = await present()
    const report = emptyReport()
    const file = [...liveFiles(state)][0]
    if (file === undefined) throw new Error('no file')
    const [lists, changed] = [
      { ...state, tables: new Map(), level0: [file] },
      { ...state, tables: new Map(), level0: [{ ...file, deletes: file.deletes + 1 }] },
    ]
    const { incarnation } = state
    const rest = {
      store,
      incarnation,
      named: new Set<string>(),
      isShared: false,
      present: async () => undefined,
      onProgress: () => {},
    }
    await verifyFiles({ ...rest, state: lists }, report)
    expect(report).toMatchObject({ ok: true, files: 1 })
    await verifyFiles({ ...rest, state: changed }, report)
    expect(report.problems).toEqual([
      { where: expect.stringMatching(/\.sst$/), problem: 'deletes is 1, but the manifest says 2' },
    ])
    // A writer replaced it meanwhile.
    const replaced = emptyReport()
    const later = async () => ({ files: new Set<string>(), version: 9 })
    await verifyFiles({ ...rest, state: changed, present: later }, replaced)
    expect(replaced.problems).toEqual([])
    await store.close()
  })

  test('a log that is gone', async () => {
    for (const path of await filesOf('.log')) await rm(path)
    expect((await verify()).ok).toBe(false)
  })

  test('a damaged root', async () => {
    await flip(console.path('firn_data', 'FIRN'), 30)
    expect((await verify()).problems).toEqual([
      { where: 'FIRN', problem: expect.stringContaining('root descriptor') },
    ])
  })

  test('a file that no version names is told, and no problem', async () => {
    const path = await firstOf('.sst')
    await writeFile(path.replace(/[^/]+\.sst$/, '99-01ARZ3NDEKTSV4RRFFQ69G5FAV.sst'), 'left over')
    expect(await verify()).toMatchObject({ ok: true, unreferenced: { files: 1, bytes: 9 } })
    expect((await firn(['verify'])).err).toMatch(/^1 file \(9 B\) that no entry of the log names/)
  })

  describe('of a log that several processes share', () => {
    const shared = ['--db', 'file:./firn_data/shared?log=objects']
    const verifyShared = async (): Promise<Report & { status: number }> => {
      const { status, out } = await firn(['verify', '--json', ...shared])
      return { ...(JSON.parse(out) as Report), status }
    }

    /** Some versions, in files that were merged, and a few after them. */
    async function makeShared(): Promise<void> {
      const db = await open(`file:${console.path('firn_data/shared')}?log=objects`)
      const table = db.table('t', { keys: 'utf8', values: 'utf8' })
      for (let round = 0; round < 3; round++) {
        await table.put(`key ${round}`, 'x')
        await db.compact()
      }
      await table.put('last', 'x')
      await db.close()
    }

    test('tells files that compaction replaced from those that a crash left', async () => {
      await makeShared()
      const { status, ok: whole, replaced, unreferenced } = await verifyShared()
      expect({ status, whole }).toEqual({ status: 0, whole: true })
      expect(replaced.files).toBeGreaterThan(1)
      expect(replaced.bytes).toBeGreaterThan(0)
      expect(unreferenced).toEqual({ files: 0, bytes: 0 })
      const { err } = await firn(['verify', ...shared])
      expect(err).toMatch(
        /^\d+ files \(.*\) replaced by compaction, which no version needs any more: /,
      )
      expect(err).not.toContain('crash')
      const path = await firstOf('shared/sst')
      await writeFile(path.replace(/[^/]+\.sst$/, '1-01ARZ3NDEKTSV4RRFFQ69G5FAV.sst'), 'left')
      expect((await verifyShared()).unreferenced).toEqual({ files: 1, bytes: 4 })
    })

    test('finds that a log was replaced by an empty one', async () => {
      await makeShared()
      for (const path of await filesOf('shared/log')) await rm(path)
      const { status, problems } = await verifyShared()
      expect(status).toBe(1)
      expect(problems).toContainEqual({
        where: 'commit log',
        problem: expect.stringContaining('ends at version 0'),
      })
      for (const path of await filesOf('shared/checkpoints')) await rm(path)
      expect((await verifyShared()).problems).toEqual([
        { where: 'commit log', problem: expect.stringMatching(/ends at version 0, but sst\//) },
      ])
    })

    test('finds that a log has lost its end, by a checkpoint and by files of later versions', async () => {
      await makeShared()
      const entries = await filesOf('shared/log')
      // All after the first flush: the state that is left is whole in itself.
      for (const path of entries.slice(-6)) await rm(path)
      const end = entries.length - 6
      const { status, problems } = await verifyShared()
      expect(status).toBe(1)
      expect(problems[0]).toEqual({
        where: 'commit log',
        problem: expect.stringMatching(
          new RegExp(`^it ends at version ${end}, before the checkpoint of version \\d+`),
        ),
      })
      for (const path of await filesOf('shared/checkpoints')) await rm(path)
      const { problems: byFiles } = await verifyShared()
      expect(byFiles).toContainEqual({
        where: 'commit log',
        problem: expect.stringMatching(
          new RegExp(
            `^it ends at version ${end}, but sst/.*had read entry \\d+: entries are missing`,
          ),
        ),
      })
    })
  })

  test('compact names a damaged file that it left alone, and what next', async () => {
    const db = await open(`file:${console.path('firn_data')}`, { compaction: 'off' })
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    // Over the file that is there, which a merge then has to read.
    for (const i of [0, 999, 1999]) await table.put(`key${String(i).padStart(5, '0')}`, 'newer')
    await db.close()
    const path = await firstOf('.sst')
    await flip(path, 100)
    const id = path.replace(/.*\/|\.sst$/g, '')
    const { status, out, err } = await firn(['compact'])
    expect({ status, err }).toEqual({ status: 1, err: '' })
    expect(out).toMatch(/^damaged {2}file \S+ of t in level \d was left alone: /)
    expect(out).toContain(id)
    expect(out).toContain('`firn verify` lists all damage')
    const json = await firn(['compact', '--json'])
    expect(json.status).toBe(1)
    expect(JSON.parse(json.out).skipped).toMatchObject([{ file: id, tables: ['t'] }])
  })

  test('damage is an error of one line for other commands, too', async () => {
    await flip(await firstOf('.sst'), 100)
    const { status, out, err } = await firn(['scan', '--table', 't'])
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(/^firn: .*; `firn verify` lists all damage\n$/)
    expect(err).not.toContain('value')
  })
})

describe('sst', () => {
  test('dump prints every record, with deletes and times', async () => {
    const file = await firstOf('.sst')
    const records = jsonLines(await ok(['sst', 'dump', file, '--json'])) as {
      table: number
      timestamp: number
      kind: string
      key: string
      value?: string
    }[]
    expect(records.filter(({ kind }) => kind === 'put').length).toBeGreaterThanOrEqual(1999)
    expect(records[0]).toEqual({
      table: 1,
      timestamp: expect.any(Number),
      kind: 'put',
      key: 'key00000',
      value: 'value 0',
    })
    const deleted = records.find(({ kind }) => kind === 'delete')
    expect(deleted).toMatchObject({ key: 'key00007' })
    expect(deleted).not.toHaveProperty('value')
    const lines = (await ok(['sst', 'dump', file, '--limit', '2'])).trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^1\t\d{4}-.*Z\tput\tkey00001\tvalue 1$/)
    expect(await ok(['sst', 'dump', file, '--limit', '1', '--hex', '--keys-only'])).toMatch(
      /\t6b65793030303030\n$/,
    )
  })

  test('dump --blocks describes the blocks', async () => {
    const file = await firstOf('.sst')
    const blocks = jsonLines(await ok(['sst', 'dump', file, '--blocks', '--json'])) as {
      records: number
      offset: number
    }[]
    expect(blocks.length).toBeGreaterThan(1)
    const { records } = JSON.parse(await ok(['sst', 'stats', file, '--json']))
    expect(blocks.reduce((sum, block) => sum + block.records, 0)).toBe(records)
    expect(blocks[0]).toMatchObject({ ordinal: 0, offset: 0, table: 1, key: 'key00000' })
    expect(await ok(['sst', 'dump', file, '--blocks', '--limit', '1'])).toMatch(/^block +offset/)
  })

  test('stats say what the file says of itself', async () => {
    const file = await firstOf('.sst')
    const bytes = (await readFile(file)).length
    expect(JSON.parse(await ok(['sst', 'stats', file, '--json']))).toMatchObject({
      bytes,
      deletes: 1,
      smallest: { table: 1, key: 'key00000' },
      largest: { table: 1, key: 'key01999' },
    })
    expect(await ok(['sst', 'stats', file])).toMatch(/\nfirst key +key00000 of table 1\n/)
  })

  test('verify finds damage, and finds it whole without', async () => {
    const file = await firstOf('.sst')
    expect(await ok(['sst', 'verify', file])).toMatch(/^whole .*: 2,00\d records in \d+ blocks/)
    for (const at of [50, -10]) {
      await flip(file, at)
      const { status, out } = await firn(['sst', 'verify', file])
      expect(status).toBe(1)
      expect(out).toMatch(/^damaged {2}/)
      expect((await firn(['sst', 'verify', file, '--json'])).out).toMatch(/^\{"ok":false/)
      await flip(file, at)
    }
  })

  test.each(['dump', 'stats', 'verify'])('%s of what is no SST', async (command) => {
    expect(await firn(['sst', command, 'missing.sst'])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/missing\.sst: there is no such file/),
    })
    await writeFile(console.path('x.sst'), 'not an sst')
    expect((await firn(['sst', command, 'x.sst'])).status).toBe(1)
    await writeFile(console.path('x.sst'), '')
    expect((await firn(['sst', command, 'x.sst'])).status).toBe(1)
    expect((await firn(['sst', command, '.'])).err).toMatch(/is not a file/)
  })
})
