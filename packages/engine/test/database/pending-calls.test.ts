import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { type Ended, runProgram, tempDirectory } from '@firn/test-support'
import { afterAll, beforeAll, describe, test, vi } from 'vitest'
import { type OpenOptions, open } from '../../src/index.js'

// A process ends when nothing keeps it alive, in the middle of an `await` too: with status 13, or
// with 0 if a function awaits. What is awaited here depends on threads and timers that by
// themselves let it end.

vi.setConfig({ testTimeout: 120_000 })

const TYPED = { keys: 'utf8', values: 'utf8' } as const

/** Level 0 gets more runs than writes may go on with. */
const OVERDUE: OpenOptions = { compaction: 'off', memtableBytes: 4096 }
const STOPPED = { tuning: { level0Trigger: 2, level0Slowdown: 3, level0Stop: 3 } }

const SUFFIX = { file: '', objects: '?log=objects' }
type Kind = keyof typeof SUFFIX

const root = tempDirectory(afterAll)
let copies = 0

beforeAll(async () => {
  for (const kind of ['file', 'objects'] as const) {
    await using db = await open(`file:${join(root, kind)}${SUFFIX[kind]}`, OVERDUE)
    const table = db.table('t', TYPED)
    for (let i = 0; i < 40; i++) await table.put(`k${i}`, 'x'.repeat(500))
  }
})

/** Where a copy of the prepared database is. */
function overdue(kind: Kind): string {
  const directory = join(root, `copy-${copies++}`)
  cpSync(join(root, kind), directory, { recursive: true })
  return `file:${directory}${SUFFIX[kind]}`
}

/**
 * A program that opens a database, on which a compaction begins that nobody waits for, and calls.
 */
function program(location: string, calls: string, options: object = STOPPED): string {
  return `
    import { open } from '@firn/engine'
    const db = await open(${JSON.stringify(location)}, ${JSON.stringify(options)})
    const t = db.table('t', ${JSON.stringify(TYPED)})
    ${calls}
    console.log('done')
  `
}

const run = (source: string): Promise<Ended> => runProgram(source, { from: import.meta.dirname })

const DONE = { status: 0, stdout: 'done\n', stderr: '' }

/** Each waits for the compaction, or may have to. */
const CALLS: Record<string, string> = {
  'db.compact()': 'await db.compact()',
  'another db.compact()': 'void db.compact(); await db.compact()',
  'db.close()': 'await db.close()',
  'db.close() behind a call': 'void db.compact().catch(() => {}); await db.close()',
  'await using': 'await db[Symbol.asyncDispose]()',
  'table.put()': "await t.put('k', 'v')",
  'table.put(), buffered': "await t.put('k', 'v', { durability: 'buffered' })",
  'table.put(), large': "await t.put('k', 'v'.repeat(2_000_000))",
  'table.delete()': "await t.delete('k1')",
  'batch.write()': "await db.batch().put(t, 'k', 'v').write()",
  'batch.drain()': `const batch = db.batch()
    for (let i = 0; i < 40; i++) batch.put(t, 'b' + i, 'v'.repeat(1_000_000))
    await batch.drain()`,
  'db.transaction()': "await db.transaction((tx) => tx.table('t', TYPED).put('k', 'v'))",
  'a write to a new table': "await db.table('new', TYPED).put('k', 'v')",
  'db.dropTable()': "await db.dropTable('t')",
  'db.flush() behind a put': "const put = t.put('k', 'v'); await db.flush(); await put",
  'db.explain()': "await db.explain(() => t.put('k', 'v'))",
}

const READS = `
  await t.get('k1')
  await t.get('k1', { fresh: true })
  await t.get('k1', { at: { version: db.version } })
  await t.getMany(['k1', 'k2'])
  await t.has('k3')
  for await (const row of t.scan({ limit: 3 })) if (row.length !== 2) throw row
  for await (const page of t.keys({ limit: 3 }).pages()) if (page.length === 0) throw page
  await t.count()
  await t.warm()
  await db.evict()
  await t.get('k1')
  await db.tables()
  await db.stats()
  await db.refresh()
  const snapshot = await db.snapshot({ at: { version: db.version } })
  await snapshot.table('t', { keys: 'utf8', values: 'utf8' }).count()
  await snapshot.close()
  await db.transaction((tx) => tx.table('t', { keys: 'utf8', values: 'utf8' }).count())
`

/**
 * A program that makes one call after the other, each on a database of its own, on which nobody
 * waits for a compaction that is under way: the last line is of the call in which the process
 * ended.
 */
function each(kind: Kind, calls: Record<string, string>, before = '', after = ''): string {
  const options = JSON.stringify(STOPPED)
  const typed = JSON.stringify(TYPED)
  const steps = Object.entries(calls).map(
    ([name, call]) => `
      print(${JSON.stringify(`${name}\n`)})
      {
        const db = await open(${JSON.stringify(overdue(kind))}, ${options})
        const t = db.table('t', ${typed})
        ${call}
        await db.close()
      }
    `,
  )
  return `
    import { writeSync } from 'node:fs'
    import { open } from '@firn/engine'
    const print = (line) => writeSync(1, line)
    const TYPED = ${typed}
    ${before}
    ${steps.join('')}
    ${after}
    print('done\\n')
  `
}

function linesOf(calls: Record<string, string>): string {
  return `${[...Object.keys(calls), 'done'].join('\n')}\n`
}

describe('a process stays until an awaited call is done, even if nothing else keeps it alive:', () => {
  for (const kind of ['file', 'objects'] as const) {
    const calls = { ...CALLS, reads: READS }
    test.concurrent(`a compaction, on ${kind}`, async ({ expect }) => {
      const ended = await run(each(kind, calls))
      expect(ended).toEqual({ status: 0, stdout: linesOf(calls), stderr: '' })
    })
  }

  const fill = `
    for (let i = 0; i < 120; i++) void t.put('f' + i % 50, 'x'.repeat(50_000))
    await t.put('last', 'v')
  `
  test.concurrent.for([
    ['db.close()', `${fill} await db.close()`],
    ['db.compact()', `${fill} await db.compact()`],
    ['table.put()', `${fill} ${fill} ${fill} ${fill}`],
  ])('a flush, by %s', async ([, calls = ''], { expect }) => {
    const options = {
      memtableBytes: 5_000_000,
      tuning: { level0Trigger: 1, level0Slowdown: 2, level0Stop: 2 },
    }
    const location = `file:${join(root, `new-${copies++}`)}`
    expect(await run(program(location, calls, options))).toEqual(DONE)
  })

  test.concurrent('what memory: does', async ({ expect }) => {
    const fill = "for (let i = 0; i < 100; i++) await t.put('k' + i, 'x'.repeat(100));"
    const calls = `${fill} ${READS} void db.compact(); await db.compact(); await db.dropTable('t')`
    const options = { ...STOPPED, memtableBytes: 1024 }
    expect(await run(program('memory:', `${calls}; await db.close()`, options))).toEqual(DONE)
  })

  test.concurrent('another process that compacts', async ({ expect }) => {
    const location = overdue('objects')
    const options = { ...STOPPED, compaction: 'off' }
    const waits = run(program(location, "await t.put('k', 'v')", options))
    const compacts = run(program(location, 'await db.compact(); await db.close()', {}))
    expect(await compacts).toEqual(DONE)
    expect(await waits).toEqual(DONE)
  })
})

test.concurrent('calls go on when a test runner replaces timers and clocks', async ({ expect }) => {
  // What sinon, jest and vitest replace, except `nextTick`, which Node's own code looks up at each
  // call.
  const fake = `
    const never = () => ({ ref() {}, unref() {} })
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) {
      globalThis[name] = never
    }
    Date.now = () => 0
    performance.now = () => 0
  `
  const calls = {
    puts: "for (let i = 0; i < 3; i++) await t.put('k', 'v'); await Promise.all([t.put('k', 'v'), t.put('l', 'v')])",
    'table.put(), buffered':
      "for (let i = 0; i < 99; i++) await t.put('k', 'v'.repeat(9999), { durability: 'buffered' }); await db.flush()",
    'db.compact()': 'await db.compact()',
    'batch.drain()': CALLS['batch.drain()'] ?? '',
    reads: READS,
  }
  const ended = await run(each('file', calls, fake))
  expect(ended).toEqual({ status: 0, stdout: linesOf(calls), stderr: '' })
})
