import fs from 'node:fs'
import path from 'node:path'
import { outputOf, tempDirectory } from '@firn/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { open } from '../../src/index.js'
import { contentOf } from '../support/content-of.js'

/**
 * A process with a database open whose directory something happens to. Then it writes as much as
 * makes several files, reads, and closes. Gives the keys that were acknowledged, and the error of
 * each call.
 */
async function run(
  top: string,
  { log, compaction, happens }: { log: string; compaction: string; happens: string },
): Promise<{ acknowledged: string[]; errors: Record<string, string> }> {
  const source = `
    import fs from 'node:fs'
    import { open } from '@firn/engine'
    const db = await open('file:./data${log}', { memtableBytes: 65536, compaction: '${compaction}' })
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    const acknowledged = []
    const errors = {}
    const attempt = async (name, work) => {
      await work().catch((error) => {
        let text = ''
        for (let at = error; at !== undefined; at = at.cause) text += at.code + ' ' + at.message + ' '
        errors[name] = text
      })
    }
    const put = async (key) => {
      await table.put(key, 'x'.repeat(100))
      acknowledged.push(key)
    }
    await put('before')
    ${happens}
    await attempt('put', async () => {
      for (let i = 0; i < 1500; i++) await put('k' + i)
    })
    await attempt('flush', () => db.flush())
    await attempt('compact', () => db.compact())
    await attempt('get', () => table.get('before'))
    await attempt('close', () => db.close())
    console.log(JSON.stringify({ acknowledged, errors }))
  `
  return JSON.parse(await outputOf(source, { from: import.meta.dirname, cwd: top }))
}

async function expectRows(directory: string, log: string, keys: readonly string[]): Promise<void> {
  const db = await open(`file:${directory}${log}`)
  const rows = await db.table<string, string>('t').scan().toArray()
  expect(rows.map(([key]) => key)).toEqual([...keys].sort())
  await db.close()
}

const KINDS = [
  { log: '', compaction: 'worker' },
  { log: '', compaction: 'inline' },
  { log: '?log=objects', compaction: 'worker' },
]

test.each(KINDS)(
  'a directory that is renamed stops the writes and keeps what was acknowledged (file:$log, $compaction)',
  async ({ log, compaction }) => {
    const top = tempDirectory()
    const happens = `fs.renameSync('data', 'moved')`
    const { acknowledged, errors } = await run(top, { log, compaction, happens })
    expect(errors['put']).toContain('was renamed, removed or replaced')
    expect(errors['close']).toBeUndefined()
    expect(fs.readdirSync(top)).toEqual(['moved'])
    await expectRows(path.join(top, 'moved'), log, acknowledged)
  },
  60_000,
)

test.each(KINDS)(
  'a database that takes the place of one that is open is left alone (file:$log, $compaction)',
  async ({ log, compaction }) => {
    const top = tempDirectory()
    const other = await open(`file:${top}/other${log}`)
    await other.table('t', { keys: 'utf8', values: 'utf8' }).put('other', 'y')
    await other.close()
    const before = contentOf(path.join(top, 'other'))
    const happens = `fs.renameSync('data', 'moved'); fs.renameSync('other', 'data')`
    const { acknowledged, errors } = await run(top, { log, compaction, happens })
    expect(errors['put']).toContain('was renamed, removed or replaced')
    expect(contentOf(path.join(top, 'data'))).toEqual(before)
    await expectRows(path.join(top, 'data'), log, ['other'])
    await expectRows(path.join(top, 'moved'), log, acknowledged)
  },
  60_000,
)

test.each(KINDS)(
  'a directory that is removed is not made anew (file:$log, $compaction)',
  async ({ log, compaction }) => {
    const top = tempDirectory()
    const happens = `fs.rmSync('data', { recursive: true })`
    const { errors } = await run(top, { log, compaction, happens })
    expect(errors['put']).toContain('was renamed, removed or replaced')
    expect(errors['close']).toBeUndefined()
    expect(fs.readdirSync(top)).toEqual([])
  },
  60_000,
)

test('a reader whose directory is replaced by a copy with other commits says so', async () => {
  const top = tempDirectory()
  const at = path.join(top, 'data')
  const put = async (directory: string, key: string): Promise<void> => {
    const db = await open(`file:${directory}`)
    await db.table('t', { keys: 'utf8', values: 'utf8' }).put(key, '')
    await db.close()
  }
  await put(at, 'a')
  fs.cpSync(at, path.join(top, 'copy'), { recursive: true })
  const reader = await open(`file:${at}`, { mode: 'read' })
  onTestFinished(() => reader.close())
  await put(path.join(top, 'copy'), 'b')
  fs.renameSync(at, path.join(top, 'moved'))
  fs.renameSync(path.join(top, 'copy'), at)
  await expect(reader.refresh()).rejects.toThrow('was renamed, removed or replaced')
  expect(await reader.table<string, string>('t').has('b')).toBe(false)
})
