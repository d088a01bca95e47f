import fs from 'node:fs'
import path from 'node:path'
import { outputOf, tempDirectory } from '@firn/test-support'
import { expect, test } from 'vitest'
import { open } from '../../src/index.js'
import { contentOf } from '../support/content-of.js'

/** A directory `a` to begin in and a directory `b` to go to, each with a database `data`. */
async function twoPlaces(log: string): Promise<{ a: string; b: string }> {
  const top = tempDirectory()
  const [a, b] = [path.join(top, 'a'), path.join(top, 'b')]
  for (const place of [a, b]) {
    fs.mkdirSync(place)
    const db = await open(`file:${place}/data${log}`)
    await db.table('t', { keys: 'utf8', values: 'utf8' }).put('of', path.basename(place))
    await db.close()
  }
  return { a, b }
}

/** Runs a program in a process that begins in `cwd`. Returns what it printed. */
function program(cwd: string, source: string): Promise<string> {
  return outputOf(source, { from: import.meta.dirname, cwd })
}

test.each(['', '?log=objects'])(
  'a process that goes to another directory keeps its database and leaves the other alone (file:%s)',
  async (log) => {
    const { a, b } = await twoPlaces(log)
    const before = contentOf(b)
    const printed = await program(
      a,
      `
      import { open } from '@firn/engine'
      const go = (to) => process.chdir(to)
      const opening = open('file:./data${log}', {
        memtableBytes: 65536,
        cache: { disk: { directory: './cache', bytes: 1 << 20 } },
      })
      go('../b')
      const db = await opening
      const table = db.table('t', { keys: 'utf8', values: 'utf8' })
      for (let i = 0; i < 20; i++) {
        go(i % 2 === 0 ? '../a' : '../b')
        const batch = db.batch()
        for (let j = 0; j < 50; j++) batch.put(table, \`k\${i}-\${j}\`, String(i).repeat(100))
        await batch.write()
      }
      go('../b')
      await db.flush()
      await db.compact()
      go('/')
      let rows = 0
      for await (const _ of table.scan()) rows++
      console.log(await table.get('of'), rows)
      await db.close()
      console.log('closed')
      `,
    )
    expect(printed).toBe('a 1001\nclosed\n')
    expect(contentOf(b)).toEqual(before)
    for (const [place, rows] of [
      [a, 1001],
      [b, 1],
    ] as const) {
      const db = await open(`file:${place}/data${log}`, { mode: 'read' })
      expect(await db.table<string, string>('t').scan().toArray()).toHaveLength(rows)
      expect(await db.table<string, string>('t').get('of')).toBe(path.basename(place))
      await db.close()
    }
  },
  60_000,
)

test('every part that takes a path means the directory of the call', async () => {
  const { a, b } = await twoPlaces('')
  const before = contentOf(b)
  await program(
    a,
    `
    import { DirectoryLock, FileCommitLog } from '@firn/commit-log/file'
    import { FsObjectStore } from '@firn/object-store/fs'
    import { DiskCache } from '@firn/block-cache/disk'
    const lock = DirectoryLock.acquire('.')
    const log = FileCommitLog.open('./log')
    const store = new FsObjectStore('./store')
    const cache = new DiskCache({ directory: './cache', bytes: 1 << 20 })
    process.chdir('../b')
    const taken = await lock
    await store.put('x', new Uint8Array(1))
    await cache.put('1-01HZX3V5Q6W7E8R9T0Y1A2S3D4', 0, new Uint8Array(1))
    process.chdir('/')
    await store.put('x', new Uint8Array(2))
    await (await log).close()
    taken.release()
    `,
  )
  expect(contentOf(b)).toEqual(before)
  expect(fs.readdirSync(a).sort()).toEqual(['LOCK-1', 'cache', 'data', 'log', 'store'])
  expect(fs.readdirSync(path.join(a, 'cache'))).toHaveLength(1)
})

test('a location with a ~ that no shell replaced is refused, and makes no directory', async () => {
  const here = tempDirectory()
  const printed = await program(
    here,
    `
    import { open } from '@firn/engine'
    for (const location of ['file:~/x', 'file:~', 'file:%7E/x', 'file:///~/x', 'file://~/x', 'file:~/x?log=objects']) {
      await open(location).catch((error) => console.log(error.code, error.message))
    }
    const cache = { disk: { directory: '~/cache', bytes: 1 } }
    await open('memory:', { cache }).catch((error) => console.log(error.code, error.message))
    `,
  )
  const lines = printed.trimEnd().split('\n')
  expect(lines).toHaveLength(7)
  for (const line of lines) expect(line).toMatch(/^FIRN_INVALID_ARGUMENT .*'?~'?/)
  expect(fs.readdirSync(here)).toEqual([])
})

test('the lock of a database names its whole path', async () => {
  const here = tempDirectory()
  const printed = await program(
    here,
    `
    import { open } from '@firn/engine'
    const db = await open('file:./data')
    await open('file:./data').catch((error) => console.log(error.message))
    await db.close()
    `,
  )
  expect(printed).toContain(`${path.join(fs.realpathSync(here), 'data')} is open for writing`)
})
