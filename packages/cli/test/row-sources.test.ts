import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvSource } from '../src/load/csv-source.js'
import { jsonlSource } from '../src/load/jsonl-source.js'
import type { RowSource, SourceRow } from '../src/load/row-source.js'

const encode = (text: string) => new TextEncoder().encode(text)

async function* cut(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function rowsOf(source: RowSource): Promise<SourceRow[]> {
  const rows: SourceRow[] = []
  for await (const page of source) rows.push(...page)
  return rows
}

const jsonl = (text: string | Uint8Array, chunk = 7) =>
  rowsOf(jsonlSource(cut(typeof text === 'string' ? encode(text) : text, chunk)))

function csv(
  text: string | Uint8Array,
  options: { delimiter?: string; quotes?: boolean; header?: boolean; chunk?: number } = {},
): Promise<SourceRow[]> {
  const { delimiter = ',', quotes = true, header = true, chunk = 7 } = options
  const bytes = typeof text === 'string' ? encode(text) : text
  return rowsOf(csvSource(cut(bytes, chunk), { delimiter, quotes, header, onColumns: () => {} }))
}

describe('JSON lines', () => {
  test('lines have their numbers, whatever the line ends and the chunks', async () => {
    const text = '\ufeff{"a":1}\r\n\r\n  {"a":"ü"}\n{"a":3}'
    for (const chunk of [1, 2, 3, 5, 100]) {
      const rows = await jsonl(text, chunk)
      for (const { json, bytes } of rows) expect(bytes).toEqual(encode(json ?? ''))
      expect(rows.map(({ bytes, ...row }) => row)).toEqual([
        { line: 1, record: { a: 1 }, json: '{"a":1}' },
        { line: 3, record: { a: 'ü' }, json: '{"a":"ü"}' },
        { line: 4, record: { a: 3 }, json: '{"a":3}' },
      ])
    }
  })

  test('what is no object is a bad row with a hint', async () => {
    const rows = await jsonl('[{"a":1}]\n{"a":\n17\nnull\n{"a":1}\n')
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [1, 'not a JSON object but an array; `jq -c .[]` makes JSON lines of one'],
      [2, 'not JSON'],
      [3, 'not a JSON object'],
      [4, 'not a JSON object'],
      [5, undefined],
    ])
  })

  test('invalid UTF-8 is a bad row, never a replacement character', async () => {
    const bytes = Uint8Array.from([...encode('{"a":"'), 0xff, ...encode('"}\n{"a":"\ufffd"}\n')])
    const [first, second] = await jsonl(bytes)
    expect(first).toEqual({ line: 1, problem: 'not UTF-8 text' })
    expect(second?.record).toEqual({ a: '\ufffd' })
  })
})

describe('CSV', () => {
  test('rows are objects by the names of the columns', async () => {
    const rows = await csv('\ufeffid,name\r\n1,"a, ""b"""\r\n\r\n2,\r\n')
    expect(rows.map(({ line, record }) => [line, { ...(record as object) }])).toEqual([
      [2, { id: '1', name: 'a, "b"' }],
      [4, { id: '2', name: '' }],
    ])
  })

  test('a row of several lines has the number of its first', async () => {
    const rows = await csv('id,name\n1,"a\nb\nc"\n2,x,y\n3,z\n')
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [2, undefined],
      [5, '3 fields, where 2 are expected'],
      [6, undefined],
    ])
  })

  test('a stray quote is data and swallows no neighbour', async () => {
    const rows = await csv('id,name\n1,5" disk\n2,"x"y\n3,z\n')
    expect(rows.map(({ record }) => (record as { name: string }).name)).toEqual([
      '5" disk',
      '"x"y',
      'z',
    ])
  })

  test('a quote that never closes ends the file at the line where it opens', async () => {
    const rows = await csv('id,name\n1,a\n2,"b\n3,c\n4,d\n')
    expect(rows.map(({ line, problem, final }) => [line, problem, final])).toEqual([
      [2, undefined, undefined],
      [3, 'a quote opens here and never closes', true],
    ])
  })

  test('TSV has no quotes', async () => {
    const rows = await csv('id\tname\n1\t5" disk\n"2\ty\n', { delimiter: '\t', quotes: false })
    expect(rows.map(({ record }) => ({ ...(record as object) }))).toEqual([
      { id: '1', name: '5" disk' },
      { id: '"2', name: 'y' },
    ])
  })

  test('without a header, columns are named by their place', async () => {
    const rows = await csv('a;b\nc;d\n', { delimiter: ';', header: false })
    expect(rows.map(({ line, record }) => [line, { ...(record as object) }])).toEqual([
      [1, { 1: 'a', 2: 'b' }],
      [2, { 1: 'c', 2: 'd' }],
    ])
  })

  test('a column may be called __proto__', async () => {
    const [row] = await csv('__proto__,b\n1,2\n')
    expect(JSON.stringify(row?.record)).toBe('{"__proto__":"1","b":"2"}')
  })

  test('two columns of one name are wrong usage', async () => {
    await expect(csv('a,b,a\n1,2,3\n')).rejects.toMatchObject({ status: 2 })
  })

  test('invalid UTF-8 is a bad row', async () => {
    const rows = await csv(Uint8Array.from([...encode('a\nx'), 0xff, ...encode('\n\ufffd\n')]))
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [2, 'not UTF-8 text'],
      [3, undefined],
    ])
  })

  test('an error of the input is passed on', async () => {
    async function* broken(): AsyncIterable<Uint8Array> {
      yield encode('a,b\n1,2\n')
      throw new Error('the disk is gone')
    }
    const options = { delimiter: ',', quotes: true, header: true, onColumns: () => {} }
    await expect(rowsOf(csvSource(broken(), options))).rejects.toThrow('the disk is gone')
  })

  test('a file that begins with a byte-order mark is bytes like any other', async () => {
    for (const chunk of [1, 2, 3, 100]) {
      const invalid = Uint8Array.from([...encode('\ufeffa,b\n1,'), 0xff, ...encode('\n2,\ufffd\n')])
      const rows = await csv(invalid, { chunk })
      expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
        [2, 'not UTF-8 text'],
        [3, undefined],
      ])
      expect({ ...(rows[1]?.record as object) }).toEqual({ a: '2', b: '\ufffd' })
      expect(await csv('\ufeff', { chunk })).toEqual([])
    }
  })

  test('any table comes back', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', 'ü', ' ') })
    const table = fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, chunk) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
        const lines = [['c1', 'c2'], ...rows].map((row) => row.map(quoted).join(','))
        let line = 2
        const expected = rows.map(([a, b]) => {
          const at = line
          line += 1 + (a + b).split('\n').length - 1
          return [at, { c1: a, c2: b }]
        })
        const read = await csv(`${lines.join('\n')}\n`, { chunk })
        expect(read.map(({ line, record }) => [line, { ...(record as object) }])).toEqual(expected)
      }),
    )
  })
})
