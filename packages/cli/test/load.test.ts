import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { open } from '@firn/engine'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonLines, makeConsole, type RunOptions } from './console.js'

const console = makeConsole()
const firn = console.firn.bind(console)
const ok = console.ok.bind(console)

const load = (args: string[], stdin: string | Uint8Array, options: RunOptions = {}) =>
  firn(['load', '-', ...args], { ...options, stdin })

async function loaded(args: string[], stdin: string): Promise<unknown[]> {
  const { status, err } = await load(args, stdin)
  expect({ status, err }).toEqual({ status: 0, err: '' })
  return jsonLines(await ok(['scan', '--json', ...tableArgs(args)]))
}

function tableArgs(args: string[]): string[] {
  const at = args.indexOf('--table')
  return at < 0 ? [] : args.slice(at, at + 2)
}

describe('JSON lines', () => {
  test('a field is the key, the record as it stands the value', async () => {
    const rows = await loaded(
      ['--key', 'id', '--table', 'users'],
      '{"id":"b","n":1}\n\n{"id":"a",  "big":12345678901234567890}\r\n',
    )
    expect(rows).toHaveLength(2)
    expect(await ok(['get', 'a', '--table', 'users'])).toBe(
      '{"id":"a",  "big":12345678901234567890}\n',
    )
    await using db = await open(`file:${console.path('firn_data')}`, { mode: 'read' })
    const users = db.table<string, unknown>('users', { keys: 'utf8', values: 'json' })
    expect(await users.get('b')).toEqual({ id: 'b', n: 1 })
  })

  test('numbers and booleans are keys by their text, fields within fields too', async () => {
    const rows = await loaded(
      ['--key', 'a.b'],
      '{"a":{"b":7}}\n{"a":{"b":true}}\n{"a.b":"x","a":{"b":1}}\n',
    )
    expect(rows.map((row) => (row as { key: string }).key)).toEqual(['7', 'true', 'x'])
  })

  test('several keys make tuples', async () => {
    const rows = await loaded(['--key', 'c', '--key', 'n'], '{"c":"de","n":10}\n{"c":"de","n":9}\n')
    expect(rows.map((row) => (row as { key: unknown }).key)).toEqual([
      ['de', 9],
      ['de', 10],
    ])
  })

  test('rows of key and value are what dump prints', async () => {
    const rows = await loaded([], '{"key":"a","value":{"x":[1]}}\n{"key":5,"value":null}\n')
    expect(rows).toEqual([
      { key: '5', value: null },
      { key: 'a', value: { x: [1] } },
    ])
  })

  test('what was there stays, the last of two rows with one key counts', async () => {
    await ok(['put', 'a', '"old"', '--values', 'json'])
    expect(await loaded([], '{"key":"b","value":1}\n{"key":"b","value":2}\n')).toEqual([
      { key: 'a', value: 'old' },
      { key: 'b', value: 2 },
    ])
  })
})

describe('CSV and TSV', () => {
  test('files are read by what their name says', async () => {
    await writeFile(console.path('c.csv'), 'id,name\n1,"Ada, Countess"\n')
    await writeFile(console.path('t.tsv'), 'id\tname\n2\tGrace "Amazing"\n')
    await ok(['load', 'c.csv', '--key', 'id'])
    await ok(['load', 't.tsv', '--key', 'id'])
    expect(jsonLines(await ok(['scan', '--json']))).toEqual([
      { key: '1', value: { id: '1', name: 'Ada, Countess' } },
      { key: '2', value: { id: '2', name: 'Grace "Amazing"' } },
    ])
  })

  test('columns key and value need no --key and stay text', async () => {
    expect(await loaded(['--format', 'csv'], 'value,key\n1,a\n{},b\n')).toEqual([
      { key: 'a', value: '1' },
      { key: 'b', value: '{}' },
    ])
  })

  test('without a header, the key is a column by number', async () => {
    const args = ['--format', 'csv', '--delimiter', ';', '--no-header', '--key', '2']
    expect(await loaded(args, 'x;a\ny;b\n')).toEqual([
      { key: 'a', value: { 1: 'x', 2: 'a' } },
      { key: 'b', value: { 1: 'y', 2: 'b' } },
    ])
  })

  test('a column that is not there is wrong usage, and the columns are named', async () => {
    expect(await load(['--format', 'csv', '--key', 'nope'], 'id,name\n1,a\n')).toMatchObject({
      status: 2,
      err: 'firn: stdin: no column "nope"; the columns are id, name\n',
    })
    expect((await load(['--format', 'tsv'], 'id\tname\n1\ta\n')).err).toBe(
      'firn: stdin: the key’s column is unknown; name it with --key; the columns are id, name\n',
    )
  })
})

describe('bad rows', () => {
  const rows = '{"id":"a"}\n{"id":"b"}\nnope\n{"id":"c"}\n{"x":1}\n{"id":"d"}\n'

  test('the first one stops the load, with what is before it kept', async () => {
    const { status, out, err } = await load(['--key', 'id'], rows)
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toBe(
      'firn: stdin:3: not JSON; stopped there, with 2 records before it loaded; fix the line, or skip such lines with --skip-bad\n',
    )
    expect(await ok(['scan', '--keys-only'])).toBe('a\nb\n')
  })

  test('--skip-bad leaves them out and tells their lines', async () => {
    const { status, out, err } = await load(['--key', 'id', '--skip-bad'], rows)
    expect(status).toBe(0)
    expect(out).toMatch(/^4 records loaded into default, 2 skipped in /)
    expect(err).toBe('firn: stdin:3: not JSON; skipped\nfirn: stdin:5: no field "id"; skipped\n')
    expect(await ok(['scan', '--keys-only'])).toBe('a\nb\nc\nd\n')
  })

  test('many bad rows are counted, not listed', async () => {
    const rows = `${'nope\n'.repeat(25)}{"id":"a"}\n`
    const { err } = await load(['--key', 'id', '--skip-bad'], rows)
    expect(err.split('\n')).toHaveLength(12)
    expect(err).toContain('… and 15 more bad rows')
  })

  test.each([
    ['{"id":null}', 'the field "id" is empty'],
    ['{"id":""}', 'the field "id" is empty'],
    ['{"id":{}}', 'not a string, a number or a boolean'],
    ['{"id":12345678901234567890}', 'beyond 2^53'],
    ['{"id":"\\ud800"}', 'lone surrogate'],
    [`{"id":"${'k'.repeat(70_000)}"}`, 'a key may have up to'],
  ])('%.30s', async (row, problem) => {
    const { status, err } = await load(['--key', 'id'], `{"id":"ok"}\n${row}\n`)
    expect(status).toBe(1)
    expect(err).toContain('stdin:2: ')
    expect(err).toContain(problem)
    expect(err).toContain('with 1 record before it loaded')
    expect(err).not.toContain('kkkk')
  })

  test.each([
    ['{"key":"a"}', 'no "key" and "value"; name the field of the key with --key <field>'],
    ['{"key":"a","value":1,"table":5}', '"table" is not a string'],
    ['{"key":"a","value":1,"table":"../x"}', 'not a table name'],
    ['{"key":"a","value":1,"encoding":"rot13"}', '"encoding" is neither'],
    ['{"key":"zz","value":"00","encoding":"hex"}', 'hexadecimal'],
    ['{"key":"a","value":1,"options":[]}', '"options" is not an object'],
    ['{"key":"a","value":1,"table":"n","options":{"history":"sometimes"}}', 'history must be'],
  ])('%s', async (row, problem) => {
    const { status, err } = await load([], `${row}\n`)
    expect(status).toBe(1)
    expect(err).toContain(problem)
  })

  test('a quote that never closes is never skipped over', async () => {
    const { status, err } = await load(
      ['--format', 'csv', '--key', 'id', '--skip-bad'],
      'id,x\n1,a\n2,"b\n3,c\n',
    )
    expect(status).toBe(1)
    expect(err).toContain('stdin:3: a quote opens here and never closes')
    expect(await ok(['scan', '--keys-only'])).toBe('1\n')
  })

  test('a file that is not there makes no database', async () => {
    expect(await firn(['load', 'missing.jsonl'])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^firn: .*missing\.jsonl: there is no such file or directory\n$/),
    })
    await mkdir(console.path('d'))
    expect((await firn(['load', 'd'])).err).toContain('d is a directory')
    expect(existsSync(console.path('firn_data'))).toBe(false)
  })

  test('several keys need a table of tuples', async () => {
    await ok(['put', 'k', 'v'])
    expect(await load(['--key', 'a', '--key', 'b'], '{"a":1,"b":2}')).toMatchObject({
      status: 2,
      err: expect.stringContaining('several --key fields make a tuple'),
    })
  })
})

describe('a long load', () => {
  const many = Array.from({ length: 5000 }, (_, i) => `{"id":"${String(i).padStart(6, '0')}"}\n`)

  test('is summed up for programs', async () => {
    const { out } = await load(['--key', 'id', '--json'], many.join(''))
    expect(JSON.parse(out)).toEqual({
      records: 5000,
      skipped: 0,
      tables: ['default'],
      bytes: many.join('').length,
      ms: expect.any(Number),
      perSecond: expect.any(Number),
      interrupted: false,
    })
  })

  test('shows its progress on a terminal, and takes it away', async () => {
    await writeFile(console.path('f.jsonl'), many.join(''))
    const { err, out } = await firn(['load', 'f.jsonl', '--key', 'id'], {
      columns: 100,
      env: { NO_COLOR: '1' },
    })
    expect(err).toContain('█')
    expect(err).toMatch(/records · [\d,]+\/s/)
    expect(err).toContain('\u001b[?25h')
    expect(out).toMatch(/^5,000 records loaded into default in /)
    const silent = await firn(['load', 'f.jsonl', '--key', 'id', '--json'], { columns: 100 })
    expect(silent.err).toBe('')
  })

  test('stops at Ctrl-C, also while it waits, and says how much is in', async () => {
    let interrupt = () => {}
    async function* endless(): AsyncIterable<Uint8Array> {
      yield new TextEncoder().encode(many.join(''))
      interrupt()
      await new Promise(() => {})
    }
    const { status, out, err } = await firn(['load', '-', '--key', 'id'], {
      stdin: endless(),
      onInterrupt: (listener) => {
        interrupt = listener
      },
    })
    expect(status).toBe(130)
    const [, counted] = /\(([\d,]+) records?\)\n$/.exec(err) ?? []
    expect(out).toContain(`${counted} records loaded`)
    const count = JSON.parse(await ok(['tables', '--count', '--json']))[0].count
    expect(count.toLocaleString('en-US')).toBe(counted)
  })

  test('keeps what it read before its input failed', async () => {
    async function* failing(): AsyncIterable<Uint8Array> {
      yield new TextEncoder().encode('{"id":"a"}\n')
      throw new Error('the cable is out')
    }
    const { status, err } = await firn(['load', '-', '--key', 'id'], { stdin: failing() })
    expect(status).toBe(1)
    expect(err).toContain('the cable is out')
    expect(await ok(['scan', '--keys-only'])).toBe('a\n')
  })
})

describe('--atomic', () => {
  const row = (i: number): string =>
    `{"id":"${String((i * 7) % 50_000).padStart(6, '0')}","n":${i}}\n`
  const many = Array.from({ length: 50_000 }, (_, i) => row(i)).join('')
  const versions = async (): Promise<number> => jsonLines(await ok(['log', '--json'])).length

  test('is one commit, whose rows are all there at once', async () => {
    await ok(['put', 'first', '1', '--values', 'json'])
    const before = await versions()
    const { status, out, err } = await load(['--key', 'id', '--atomic'], many)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/^50,000 records loaded into default in /)
    expect(await versions()).toBe(before + 1)
    expect(JSON.parse(await ok(['tables', '--count', '--json']))[0].count).toBe(50_001)
    expect(await ok(['scan', '--at', String(before), '--keys-only'])).toBe('first\n')
    expect(await ok(['get', '000007'])).toBe('{"id":"000007","n":1}\n')
  })

  test('a bad row at the end leaves nothing, and says so', async () => {
    await ok(['put', 'first', '1', '--values', 'json'])
    const { status, out, err } = await load(['--key', 'id', '--atomic'], `${many}nope\n`)
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toBe(
      'firn: stdin:50001: not JSON; nothing is loaded; fix the line, or skip such lines with --skip-bad\n',
    )
    expect(await ok(['scan', '--keys-only'])).toBe('first\n')
  })

  test('--skip-bad leaves bad rows out of the commit', async () => {
    const rows = '{"id":"a"}\nnope\n{"id":"b"}\n'
    const { status, out } = await load(['--key', 'id', '--atomic', '--skip-bad'], rows)
    expect(status).toBe(0)
    expect(out).toMatch(/^2 records loaded into default, 1 skipped in /)
    expect(await ok(['scan', '--keys-only'])).toBe('a\nb\n')
  })

  test('Ctrl-C and input that fails leave nothing', async () => {
    await ok(['put', 'first', '1', '--values', 'json'])
    let interrupt = () => {}
    async function* endless(): AsyncIterable<Uint8Array> {
      yield new TextEncoder().encode(many)
      interrupt()
      await new Promise(() => {})
    }
    const stopped = await firn(['load', '-', '--key', 'id', '--atomic'], {
      stdin: endless(),
      onInterrupt: (listener) => {
        interrupt = listener
      },
    })
    expect(stopped.status).toBe(130)
    expect(stopped.err).toBe('firn: interrupted; nothing is loaded\n')
    async function* failing(): AsyncIterable<Uint8Array> {
      yield new TextEncoder().encode(many)
      throw new Error('the cable is out')
    }
    const failed = await firn(['load', '-', '--key', 'id', '--atomic'], { stdin: failing() })
    expect(failed.status).toBe(1)
    expect(await ok(['scan', '--keys-only'])).toBe('first\n')
  })
})

describe('dump', () => {
  test('a database comes back from its dump, options and all', async () => {
    const db = await open(`file:${console.path('firn_data')}`)
    const batch = db.batch()
    const raw = db.table('raw', { history: { versions: 3 }, compression: 'deflate' })
    batch.put(raw, Uint8Array.of(0xff, 0), Uint8Array.of(0x80))
    batch.put(raw, new TextEncoder().encode('text'), new TextEncoder().encode('a\n"b"'))
    const tuples = db.table<unknown[], unknown>('tuples', {
      keys: 'tuple',
      values: 'json',
    } as never)
    batch.put(tuples, ['x', 1n, new Date(5), Uint8Array.of(1), [null, true]], { deep: [1, 2] })
    batch.put(tuples, [Number.POSITIVE_INFINITY], 'text')
    batch.put(
      tuples.bytes as never,
      new TextEncoder().encode('no tuple'),
      new TextEncoder().encode('no json') as never,
    )
    await batch.write()
    await db.close()

    for (const digits of [[], ['--hex'], ['--base64']]) {
      const dump = await ok(['dump', ...digits])
      const lines = jsonLines(dump) as { table: string; options?: unknown }[]
      expect(lines.map(({ table, options }) => [table, options !== undefined])).toEqual([
        ['raw', true],
        ['raw', false],
        ['tuples', true],
        ['tuples', false],
        ['tuples', false],
      ])
      const copy = `copy${digits[0] ?? ''}`
      expect((await firn(['load', '-', '--path', copy], { stdin: dump })).err).toBe('')
      expect(await ok(['dump', ...digits, '--path', copy])).toBe(dump)
      expect(await ok(['dump', '--base64', '--path', copy])).toBe(await ok(['dump', '--base64']))
    }
    const [table] = JSON.parse(await ok(['tables', '--json', '--path', 'copy']))
    expect(table).toMatchObject({ name: 'raw', history: { versions: 3 }, compression: 'deflate' })
  })

  test('one table, under another name, as it was', async () => {
    await ok(['put', 'a', '1', '--table', 't'])
    await ok(['put', 'b', '2', '--table', 't'])
    await ok(['put', 'c', '3', '--table', 'other'])
    const dump = await ok(['dump', '--table', 't', '--at', '2'])
    expect(jsonLines(dump)).toEqual([
      { table: 't', options: expect.objectContaining({ keys: 'bytes' }), key: 'a', value: '1' },
    ])
    await load(['--table', 'copy'], dump)
    expect(await ok(['scan', '--table', 'copy'])).toBe('a\t1\n')
    const mixed = await load(['--table', 'copy'], await ok(['dump']))
    expect(mixed).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /several tables.*; stopped there, with \d records? before it loaded/,
      ),
    })
  })

  test('a dump does not go into a table of other encodings', async () => {
    await ok(['put', '["a"]', '1', '--keys', 'tuple', '--values', 'json'])
    const dump = await ok(['dump'])
    await ok(['put', 'a', '1', '--path', 'other'])
    const { status, err } = await load(['--path', 'other'], dump)
    expect(status).toBe(1)
    expect(err).toContain('tuple keys, but table "default" has bytes keys')
  })

  test('any bytes come back', async () => {
    const bytes = fc.uint8Array({ maxLength: 12 })
    const text = fc.string({ unit: 'binary', maxLength: 6 }).map((s) => new TextEncoder().encode(s))
    let n = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.oneof(bytes, text), fc.oneof(bytes, text)), {
          minLength: 1,
          maxLength: 8,
        }),
        async (rows) => {
          const name = `memory:dump-${n++}`
          const db = await open(name)
          const table = db.table('t')
          for (const [key, value] of rows) await table.put(key, value)
          await db.close()
          const dump = await ok(['dump', '--db', name])
          expect((await load(['--db', `${name}-copy`], dump)).err).toBe('')
          expect(await ok(['dump', '--hex', '--db', `${name}-copy`])).toBe(
            await ok(['dump', '--hex', '--db', name]),
          )
        },
      ),
      { numRuns: 30 },
    )
  })
})
