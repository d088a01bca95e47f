import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { open } from '@firn/engine'
import { describe, expect, test } from 'vitest'
import { jsonLines, makeConsole } from './console.js'

const console = makeConsole()
const firn = console.firn.bind(console)
const ok = console.ok.bind(console)
const encode = (text: string) => new TextEncoder().encode(text)

/** A table with encodings of the engine's, which only `open` makes. */
async function makeUsers(): Promise<void> {
  await using db = await open(`file:${console.path('firn_data')}`)
  const users = db.table<(string | number)[], unknown>('users', { keys: 'tuple', values: 'json' })
  await users.put(['eu', 7], { name: 'Ada' })
  await users.put(['eu', 8], { name: 'Grace' })
  await users.put(['us', 1], { name: 'Alan' })
}

describe('put, get, delete', () => {
  test('a value comes back, changes, goes, and stays readable as it was', async () => {
    expect(await ok(['put', 'greeting', 'hello'])).toMatch(/^version 2 at \d{4}-.*Z\n$/)
    expect(await ok(['get', 'greeting'])).toBe('hello\n')
    await ok(['set', 'greeting', 'good day'])
    expect(await ok(['get', 'greeting'])).toBe('good day\n')
    expect(await ok(['get', 'greeting', '--at', '2'])).toBe('hello\n')
    await ok(['delete', 'greeting'])
    expect((await firn(['get', 'greeting'])).status).toBe(1)
    expect(await ok(['get', 'greeting', '--at', '3'])).toBe('good day\n')
    await ok(['del', 'greeting'])
  })

  test('a moment can be a time', async () => {
    const first = JSON.parse(await ok(['put', 'k', 'one', '--json']))
    await ok(['put', 'k', 'two'])
    expect(await ok(['get', 'k', '--at', first.time])).toBe('one\n')
    expect((await firn(['get', 'k', '--at', '1d'])).status).toBe(1)
  })

  test('JSON is one document, with the key', async () => {
    const commit = JSON.parse(await ok(['put', 'k', 'v', '--json']))
    expect(commit).toEqual({
      version: 2,
      timestamp: expect.any(Number),
      time: expect.stringMatching(/Z$/),
    })
    expect(JSON.parse(await ok(['--json', 'get', 'k']))).toEqual({ key: 'k', value: 'v' })
  })

  test('any bytes go in and out by hex, Base64 and stdin', async () => {
    await ok(['put', '--hex', '00ff', 'cafe'])
    expect(await ok(['get', '--hex', '00ff'])).toBe('cafe\n')
    expect(await ok(['get', '--base64', 'AP8='])).toBe('yv4=\n')
    expect((await firn(['get', '--hex', '00ff', '--json'])).out).toBe(
      '{"key":"00ff","value":"cafe","encoding":"hex"}\n',
    )
    const bytes = Uint8Array.of(0, 10, 255, 13)
    await ok(['put', 'file'], { stdin: bytes })
    expect((await firn(['get', 'file', '--raw'])).bytes).toEqual(bytes)
    expect(await ok(['get', 'file'])).toBe('\\x00\\x0a\\xff\\x0d\n')
    expect(JSON.parse(await ok(['get', 'file', '--json']))).toMatchObject({ encoding: 'base64' })
  })

  test('text goes to a pipe as it is, and to a terminal without its control characters', async () => {
    await ok(['put', 'k', 'a\u001b[2J\nb\\'])
    expect(await ok(['get', 'k'])).toBe('a\u001b[2J\nb\\\n')
    expect(await ok(['get', 'k'], { columns: 80 })).toBe('a\\x1b[2J\\x0ab\\\\\n')
  })

  test('what looks like an option goes behind --', async () => {
    await ok(['put', '--', '-5', '--x'])
    expect(await ok(['get', '--', '-5'])).toBe('--x\n')
  })

  test('empty keys and values are keys and values', async () => {
    await ok(['put', '', ''])
    expect(await ok(['get', ''])).toBe('\n')
    expect(await ok(['scan', '--json'])).toBe('{"key":"","value":""}\n')
  })

  test('typed tables are read and written as JSON', async () => {
    await makeUsers()
    const users = ['--table', 'users']
    expect(await ok(['get', '["eu",7]', ...users])).toBe('{"name":"Ada"}\n')
    await ok(['put', '["eu",9]', '{"id":12345678901234567890}', ...users])
    expect(await ok(['get', '["eu",9]', ...users])).toBe('{"id":12345678901234567890}\n')
    expect(await ok(['scan', '--prefix', '["eu"]', '--keys-only', ...users])).toBe(
      '["eu",7]\n["eu",8]\n["eu",9]\n',
    )
    expect(jsonLines(await ok(['scan', '--from', '["us"]', '--json', ...users]))).toEqual([
      { key: ['us', 1], value: { name: 'Alan' } },
    ])
    for (const args of [
      ['get', 'eu'],
      ['get', '{"a":1}'],
      ['put', '["x"]', '{nope'],
      ['scan', '--prefix', 'eu'],
    ]) {
      expect(await firn([...args, ...users])).toMatchObject({ status: 2, out: '' })
    }
  })

  test('a new table can be given its encodings, an existing one keeps its own', async () => {
    const typed = ['--table', 't', '--keys', 'tuple', '--values', 'json']
    await ok(['put', '["a",1]', '{"x":1}', ...typed])
    await using db = await open(`file:${console.path('firn_data')}`, { mode: 'read' })
    const table = db.table<(string | number)[], unknown>('t', { keys: 'tuple', values: 'json' })
    expect(await table.get(['a', 1])).toEqual({ x: 1 })
    const other = await firn(['put', '--table', 't', '--keys', 'utf8', 'a', '1'])
    expect(other).toMatchObject({ status: 1, out: '' })
    expect(other.err).toMatch(/^firn: table "t" was created with keys "tuple"/)
  })

  test('tables with encodings of a program are shown as bytes', async () => {
    const db = await open(`file:${console.path('firn_data')}`)
    const reversed = {
      name: 'reversed',
      encode: (text: string) => encode([...text].reverse().join('')),
      decode: (bytes: Uint8Array) => [...new TextDecoder().decode(bytes)].reverse().join(''),
    }
    await db.table<string, string>('own', { keys: reversed, values: 'utf8' }).put('abc', 'x')
    await db.close()
    expect(await ok(['scan', '--table', 'own'])).toBe('cba\tx\n')
    expect(await ok(['get', 'cba', '--table', 'own'])).toBe('x\n')
  })
})

describe('scan', () => {
  const fill = async () => {
    const rows = ['apple', 'avocado', 'banana', 'cherry', 'date'].map((key, i) => ({
      key,
      value: `${i}`,
    }))
    await ok(['load', '-', '--values', 'utf8'], {
      stdin: rows.map((r) => JSON.stringify(r)).join('\n'),
    })
  }

  test('prints key, tab, value in key order', async () => {
    await fill()
    expect(await ok(['scan'])).toBe('apple\t0\navocado\t1\nbanana\t2\ncherry\t3\ndate\t4\n')
  })

  test.each([
    [['--prefix', 'a'], 'apple avocado'],
    [['--from', 'avocado', '--to', 'cherry'], 'avocado banana'],
    [['--from', 'avocado', '--to', 'cherry', '--reverse'], 'banana avocado'],
    [['--limit', '2'], 'apple avocado'],
    [['--reverse', '--limit', '1'], 'date'],
    [['--limit', '0'], ''],
    [['--from', 'x'], ''],
    [['--hex', '--prefix', '62'], '62616e616e61'],
    [['--base64', '--prefix', 'Yg=='], 'YmFuYW5h'],
  ])('%j', async (args, keys) => {
    await fill()
    const lines = (await ok(['scan', '--keys-only', ...args])).split('\n').filter(Boolean)
    expect(lines.join(' ')).toBe(keys)
  })

  test('reads the past', async () => {
    await ok(['put', 'a', '1'])
    await ok(['put', 'b', '2'])
    expect(await ok(['scan', '--at', '2'])).toBe('a\t1\n')
  })

  test('aligns and cuts rows on a terminal, and counts them', async () => {
    await ok(['put', 'a', 'x'.repeat(100)])
    await ok(['put', 'longer', '日本語日本語x'])
    const { out, err } = await firn(['scan'], { columns: 20, env: { NO_COLOR: '1' } })
    expect(out).toBe(`a       ${'x'.repeat(11)}…\nlonger  日本語日本…\n`)
    expect(err).toBe('2 rows\n')
  })

  test('colours are for terminals that want them', async () => {
    await ok(['put', 'a', 'x'])
    const colour = '\u001b['
    expect((await firn(['scan'], { columns: 80, env: { TERM: 'xterm' } })).out).toContain(colour)
    expect((await firn(['scan'], { columns: 80, env: { NO_COLOR: '1' } })).out).not.toContain(
      colour,
    )
    expect((await firn(['scan'], { columns: 80, env: { TERM: 'dumb' } })).out).not.toContain(colour)
    expect((await firn(['scan', '--json'], { columns: 80 })).out).toBe('{"key":"a","value":"x"}\n')
    expect((await firn(['scan'])).out).toBe('a\tx\n')
  })

  test('ends without a word when its reader has gone', async () => {
    await fill()
    for (const command of ['scan', 'dump', 'log', 'tables', 'stats']) {
      expect(await firn([command], { breakAfter: 0 })).toMatchObject({ status: 0, err: '' })
    }
  })
})

/** A database of 1200 rows in many files of level 0; how many. */
async function manyFiles(directory: string): Promise<number> {
  const tuning = { level0Slowdown: 1000, level0Stop: 1000 }
  const options = { compaction: 'off', memtableBytes: 4096, tuning } as const
  await using db = await open(`file:${directory}`, options)
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  for (let from = 0; from < 1200; from += 25) {
    const keys = Array.from({ length: 25 }, (_, i) => String(((from + i) * 7919) % 1200))
    await Promise.all(keys.map((key) => table.put(key.padStart(5, '0'), 'x'.repeat(100))))
  }
  const { levels } = await db.stats()
  const files = levels[0]?.files ?? 0
  expect(files).toBeGreaterThan(20)
  return files
}

describe('tables, stats, log, compact', () => {
  test('tables say what they are, and count their keys when asked', async () => {
    await makeUsers()
    const [table] = JSON.parse(await ok(['tables', '--count', '--json']))
    expect(table).toMatchObject({ name: 'users', keys: 'tuple', values: 'json', count: 3 })
    const lines = (await ok(['tables', '--count'])).split('\n')
    expect(lines[0]).toMatch(/^table +keys +key type +value type +history/)
    expect(lines[1]).toMatch(/^users +3 +tuple +json +1 d +lz4/)
    expect(JSON.parse(await ok(['tables', '--json']))[0]).not.toHaveProperty('count')
  })

  test('stats show the version and the levels', async () => {
    await ok(['put', 'a', '1'])
    expect(JSON.parse(await ok(['stats', '--json']))).toMatchObject({
      version: 2,
      memtables: { records: 1 },
    })
    expect(await ok(['stats'])).toMatch(/^version +2, of \d{4}-.*\n/)
    await ok(['compact'])
    expect(await ok(['stats'])).toMatch(/\nlevel +files +bytes +records +deletes\nL\d +1 /)
  })

  test('the log tells what each version did', async () => {
    await ok(['put', 'a', '1'])
    await ok(['delete', 'a'])
    await ok(['put', 'b', '2', '--table', 'other'])
    const entries = jsonLines(await ok(['log', '--json'])) as { version: number; edits: unknown }[]
    expect(entries.map(({ version }) => version)).toEqual([1, 2, 3, 4])
    expect(entries[1]).toMatchObject({
      token: expect.stringMatching(/^[0-9A-Z]{26}$/),
      time: expect.stringMatching(/Z$/),
      edits: [
        { type: 'create-table', text: 'creates table default' },
        { type: 'records', tables: [{ table: 'default', puts: 1, deletes: 0, merges: 0 }] },
      ],
    })
    const lines = (await ok(['log'])).trimEnd().split('\n')
    expect(lines).toHaveLength(5)
    expect(lines[3]).toMatch(/^ +3 {2}.* {2}1 delete in default$/)
    expect(lines[4]).toMatch(/creates table other; 1 put in other$/)
    // The name of a table that was made before the first entry shown.
    const later = (await ok(['log', '--after', '2', '--limit', '1'])).trimEnd().split('\n')
    expect(later[1]).toMatch(/1 delete in default$/)
    expect(await ok(['log', '--after', '99'])).toBe('')
    expect(await ok(['log', '--limit', '0'])).toBe('')
  })

  test('log says of entries that were flushed where they are, not that they were lost', async () => {
    const directory = console.path('firn_data')
    const db = await open(`file:${directory}`, { compaction: 'off', memtableBytes: 65_536 })
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    const value = 'x'.repeat(10_000)
    for (let i = 0; i < 30; i++) await table.put(`key ${i}`, value)
    await db.close()
    const entries = jsonLines(await ok(['log', '--json'])) as {
      version: number
      edits?: unknown
      inFiles?: { flushedThrough: number }
    }[]
    const flushed = entries.filter(({ edits }) => edits === undefined)
    expect(flushed.length).toBeGreaterThan(5)
    for (const { version, inFiles } of flushed) {
      expect(inFiles?.flushedThrough).toBeGreaterThanOrEqual(version)
    }
    const text = await ok(['log'])
    expect(text).toMatch(/ in files \(flushed through version \d+\)\n/)
    expect(text).not.toContain('truncated')
    expect(await ok(['get', 'key 0', '--table', 't'])).toBe(`${value}\n`)
  })

  test('compact counts files that were merged as soon as it opened the database', async () => {
    const files = await manyFiles(console.path('firn_data'))
    const report = JSON.parse(await ok(['compact', '--json']))
    expect(report.filesIn).toBeGreaterThanOrEqual(files)
    expect(report.compactions).toBeGreaterThan(0)
    expect(await ok(['compact'])).toMatch(/^nothing to merge/)
  })

  test('stats and tables don’t show 0 for what lies in level 0 and in the log', async () => {
    const files = await manyFiles(console.path('firn_data'))
    await ok(['put', 'more', 'x', '--table', 't'])
    const expected = { name: 't', files, records: 1201, exact: true }
    const [table] = JSON.parse(await ok(['tables', '--json']))
    expect(table).toMatchObject(expected)
    expect(table.bytes).toBeGreaterThan(0)
    expect(table.memtables.records).toBeGreaterThan(0)
    expect(JSON.parse(await ok(['stats', '--json'])).tables).toMatchObject([expected])
    expect(await ok(['stats'])).toMatch(new RegExp(`\nt +${files} +\\S+ +\\S+ +1,201 +\\d+\n`))
    expect(await ok(['tables'])).toMatch(new RegExp(`\nt .* ${files} +1,201 `))
    // Files of several tables: what is said is said to be an upper bound.
    await ok(['put', 'k', 'v', '--table', 'u'])
    await ok(['compact'])
    expect(JSON.parse(await ok(['tables', '--json']))).toMatchObject([
      { name: 't', records: 1201, exact: true },
      { name: 'u', records: 1, exact: true },
    ])
  })

  test('compact says what it did', async () => {
    await ok(['put', 'a', '1'])
    expect(JSON.parse(await ok(['compact', '--json']))).toEqual({
      compactions: 1,
      filesIn: 1,
      filesOut: 1,
      bytesRead: expect.any(Number),
      bytesWritten: expect.any(Number),
      skipped: [],
    })
    expect(await ok(['compact'])).toMatch(/^nothing to merge.*\n$/)
    await ok(['put', 'a', '2'])
    expect(await ok(['compact'])).toMatch(
      /^\d+ compactions? of \d+ files? to 1: .* read, .* written/,
    )
    expect(await ok(['get', 'a'])).toBe('2\n')
  })
})

describe('where the database is', () => {
  test('--path, --db and FIRN_DB name it, before or behind the command', async () => {
    await ok(['put', '--path', 'one', 'k', '1'])
    await ok(['--db', 'file:./two%20x', 'put', 'k', '2'])
    expect(existsSync(console.path('two x', 'FIRN'))).toBe(true)
    expect(await ok(['get', 'k', '--db', 'file:one'])).toBe('1\n')
    expect(await ok(['get', 'k'], { env: { FIRN_DB: 'file:./two%20x' } })).toBe('2\n')
    expect(await ok(['get', 'k', '--path', 'one'], { env: { FIRN_DB: 'file:./two%20x' } })).toBe(
      '1\n',
    )
  })

  test('a database of many processes works like any other', async () => {
    const db = ['--db', 'file:./shared?log=objects']
    await ok(['put', 'k', '1', ...db])
    expect(await ok(['get', 'k', ...db])).toBe('1\n')
    expect(await ok(['log', ...db])).toMatch(/1 put in default\n$/)
    expect(await ok(['verify', ...db])).toMatch(/^whole/)
    await ok(['put', 'k', '1', '--path', 'single'])
    for (const command of ['log', 'verify', 'scan']) {
      for (const other of ['file:./shared', 'file:./single?log=objects']) {
        expect(await firn([command, '--db', other])).toMatchObject({
          status: 2,
          out: '',
          err: expect.stringContaining('keeps its log in'),
        })
      }
    }
  })

  test('reading commands make nothing where there is nothing', async () => {
    await writeFile(console.path('x.jsonl'), '')
    for (const args of [
      ['get', 'k'],
      ['scan'],
      ['dump'],
      ['tables'],
      ['stats'],
      ['log'],
      ['verify'],
      ['compact'],
      ['delete', 'k'],
    ]) {
      const { status, out, err } = await firn(args)
      expect({ args, status, out }).toEqual({ args, status: 1, out: '' })
      expect(err).toBe(
        'firn: no database at ./firn_data; create one with `firn put` or `firn load`, or name another with --db or --path\n',
      )
      expect(existsSync(console.path('firn_data'))).toBe(false)
    }
  })

  test('readers leave a writer alone, a second writer is refused', async () => {
    await ok(['put', 'k', '1'])
    const writer = await open(`file:${console.path('firn_data')}`)
    try {
      expect(await ok(['get', 'k'])).toBe('1\n')
      expect(await ok(['verify'])).toMatch(/^whole/)
      expect(await ok(['log'])).toMatch(/1 put/)
      const { status, err } = await firn(['put', 'k', '2'])
      expect(status).toBe(1)
      expect(err).toMatch(/commands that only read still work\n$/)
      await writer.table('default').put(encode('k'), encode('3'))
    } finally {
      await writer.close()
    }
    expect(await ok(['get', 'k'])).toBe('3\n')
  })
})

describe('mistakes', () => {
  test.each([
    [['nope'], 'unknown command'],
    [['get'], "missing required argument 'key'"],
    [['get', 'a', 'b'], 'too many arguments'],
    [['scan', '--limit', 'x'], 'whole number'],
    [['scan', '--limit', '-1'], 'whole number'],
    [['scan', '--nope'], "unknown option '--nope'"],
    [['scan', '--prefix', 'a', '--from', 'b'], '--prefix can’t be combined'],
    [['scan', '--hex', '--base64'], 'exclude each other'],
    [['get', 'k', '--at', 'soon'], 'names no moment'],
    [['get', 'k', '--raw', '--json'], '--raw can’t be combined'],
    [['get', '--hex', 'xyz'], 'hexadecimal'],
    [['put', '--base64', '!', 'x'], 'Base64'],
    [['get', 'k', '--db', 'nowhere'], 'location'],
    [['get', 'k', '--db', 'memory:', '--path', 'x'], 'one of them'],
    [['put', 'k', 'v', '--table', '../x'], 'not a table name'],
    [['log', '--db', 'memory:x'], 'no parts to look into'],
    [['put', 'k', 'v', '--keys', 'json'], 'Allowed choices'],
    [['load', 'x.jsonl', '--no-header'], 'for CSV and TSV'],
    [['load', 'x.csv', '--no-header'], 'name the key’s column'],
    [['load', 'x.csv', '--delimiter', 'ab'], 'one character'],
    [['load', 'x.csv', '--key', 'a', '--hex'], 'leave out --key'],
    [['sst', 'nope'], 'unknown command'],
  ])('%j is wrong usage: status 2, one line', async (args, what) => {
    await ok(['put', 'k', 'v'])
    const { status, out, err } = await firn(args)
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toContain(what)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err).toMatch(args.includes('--json') ? /^\{"error":/ : /^firn: /)
  })

  test('a missing key, table or version is status 1 and says what next', async () => {
    await ok(['put', 'secret', 'v'])
    const failures = {
      key: await firn(['get', 'missing']),
      table: await firn(['get', 'k', '--table', 'other']),
      version: await firn(['get', 'secret', '--at', '99']),
    }
    for (const { status, out } of Object.values(failures))
      expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(failures.key.err).toBe(
      'firn: no such key in table "default" of ./firn_data; `firn scan` lists the keys\n',
    )
    expect(failures.table.err).toBe(
      'firn: no table "other" in ./firn_data; name one of these with --table: default\n',
    )
    expect(failures.version.err).toMatch(
      /version 99 does not exist: the newest is 2; `firn log` lists the versions/,
    )
  })

  test('programs get errors as JSON', async () => {
    const { err, status } = await firn(['get', 'k', '--json'])
    expect(status).toBe(1)
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'FIRN_DATABASE_NOT_FOUND',
        message: expect.stringContaining('no database at'),
      },
    })
    expect(JSON.parse((await firn(['nope', '--json'])).err).error.code).toBe('FIRN_USAGE')
  })

  test('stack traces are for those who debug', async () => {
    expect((await firn(['get', 'k'])).err).not.toContain('    at ')
    expect((await firn(['get', 'k'], { env: { FIRN_DEBUG: '1' } })).err).toMatch(
      /\n {4}at .*caused by/s,
    )
  })

  test('put without a value on a terminal asks for one', async () => {
    expect(await firn(['put', 'k'], { columns: 80 })).toMatchObject({
      status: 2,
      err: expect.stringContaining('the value is missing'),
    })
    expect(existsSync(console.path('firn_data'))).toBe(false)
  })
})

describe('help', () => {
  test('firn alone shows its help as a mistake, --help as an answer', async () => {
    const asked = await firn(['--help'])
    expect(asked).toMatchObject({ status: 0, err: '' })
    expect(asked.out).toMatch(/^Usage: firn /)
    expect(await firn([])).toMatchObject({ status: 2, out: '', err: asked.out })
  })

  test('every command has a help with examples', async () => {
    const names = [...(await ok(['--help'])).matchAll(/^ {2}([a-z]+)[| [<].*? {2,}\S/gm)].map(
      ([, name]) => name,
    )
    const commands = names.filter((name): name is string => name !== undefined && name !== 'help')
    expect(commands).toEqual(
      expect.arrayContaining(['put', 'get', 'delete', 'scan', 'load', 'dump', 'tables', 'log']),
    )
    const paths = commands.map((name) => [name]).filter(([name]) => name !== 'sst')
    for (const path of [...paths, ['sst', 'dump'], ['sst', 'stats'], ['sst', 'verify']]) {
      const help = await ok([...path, '--help'])
      expect(help).toContain(`Usage: firn ${path[0]}`)
      expect(help).toContain('Examples:\n  $ firn')
      expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    }
    expect(await ok(['help', 'get'])).toBe(await ok(['get', '--help']))
  })

  test('the version is that of the package', async () => {
    expect(await ok(['--version'])).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
