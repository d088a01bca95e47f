import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvOptions, csvSource } from '../src/load/csv-source.js'
import { jsonlSource } from '../src/load/jsonl-source.js'
import type { RowSource, SourceRow } from '../src/load/row-source.js'
import { textOf } from '../src/load/text-input.js'

const encode = (text: string) => new TextEncoder().encode(text)

async function* cut(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

const notUtf8 = (line: number, offset: number) =>
  `not UTF-8 text (line ${line}, byte offset ${offset}); if it is Latin-1, \`iconv -f LATIN1 -t UTF-8\` converts the file`

async function rowsOf(source: RowSource): Promise<SourceRow[]> {
  const rows: SourceRow[] = []
  for await (const page of source) rows.push(...page)
  return rows
}

const MAX = 1024 * 1024
const numRuns = LONG ? 4000 : 300

const textOfChunks = (chunks: AsyncIterable<Uint8Array>) =>
  textOf({ name: 'file', chunks: () => chunks })

const bytesOf = (text: string | Uint8Array) => (typeof text === 'string' ? encode(text) : text)

async function jsonl(text: string | Uint8Array, chunk = 7): Promise<SourceRow[]> {
  return rowsOf(jsonlSource(await textOfChunks(cut(bytesOf(text), chunk)), MAX))
}

const CSV = { delimiter: ',', quotes: true, header: true, maxRecordBytes: MAX, onColumns() {} }

async function csv(
  text: string | Uint8Array,
  { chunk = 7, ...options }: Partial<CsvOptions> & { chunk?: number } = {},
): Promise<SourceRow[]> {
  const chunks = await textOfChunks(cut(bytesOf(text), chunk))
  return rowsOf(csvSource(chunks, { ...CSV, ...options }))
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
      [1, 'not a JSON object but an array; `jq -c .[]` converts an array to JSON lines'],
      [2, 'not JSON'],
      [3, 'not a JSON object'],
      [4, 'not a JSON object'],
      [5, undefined],
    ])
  })

  test('invalid UTF-8 is a bad row, never a replacement character', async () => {
    const bytes = Uint8Array.from([...encode('{"a":"'), 0xff, ...encode('"}\n{"a":"\ufffd"}\n')])
    const [first, second] = await jsonl(bytes)
    expect(first).toEqual({ line: 1, problem: notUtf8(1, 6) })
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
      [5, '3 fields instead of 2'],
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
      [2, notUtf8(2, 3)],
      [3, undefined],
    ])
  })

  test('an error of the input is passed on', async () => {
    async function* broken(): AsyncIterable<Uint8Array> {
      yield encode('a,b\n1,2\n')
      throw new Error('the disk is gone')
    }
    const reading = async () => rowsOf(csvSource(await textOfChunks(broken()), CSV))
    await expect(reading()).rejects.toThrow('the disk is gone')
  })

  test('a file that begins with a byte-order mark is bytes like any other', async () => {
    for (const chunk of [1, 2, 3, 100]) {
      const invalid = Uint8Array.from([...encode('\ufeffa,b\n1,'), 0xff, ...encode('\n2,\ufffd\n')])
      const rows = await csv(invalid, { chunk })
      expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
        [2, notUtf8(2, 9)],
        [3, undefined],
      ])
      expect({ ...(rows[1]?.record as object) }).toEqual({ a: '2', b: '\ufffd' })
      expect(await csv('\ufeff', { chunk })).toEqual([])
    }
  })

  test('lines of both kinds end rows, in one file and at its end', async () => {
    const cases: [string, unknown[]][] = [
      ['id,n\na,1\r\n', [{ id: 'a', n: '1' }]],
      [
        'id,n\r\na,1\nb,2\r\n',
        [
          { id: 'a', n: '1' },
          { id: 'b', n: '2' },
        ],
      ],
      ['id,n\na,1\r', [{ id: 'a', n: '1' }]],
      ['id,n\r\na,"1"\r', [{ id: 'a', n: '1' }]],
      ['id,n\na\rb,\r1\n', [{ id: 'a\rb', n: '\r1' }]],
      ['id,n\n"a\r\nb","c\nd\r"\r\n', [{ id: 'a\r\nb', n: 'c\nd\r' }]],
      ['id,n\n\r\n\n,\n', [{ id: '', n: '' }]],
    ]
    for (const [text, expected] of cases) {
      for (const chunk of [1, 2, 3, 100]) {
        const rows = await csv(text, { chunk })
        expect(rows.map(({ record }) => ({ ...(record as object) }))).toEqual(expected)
      }
    }
    const tsv = await csv('id\tn\na\t"1\r\nb\t2\r', { delimiter: '\t', quotes: false })
    expect(tsv.map(({ record }) => ({ ...(record as object) }))).toEqual([
      { id: 'a', n: '"1' },
      { id: 'b', n: '2' },
    ])
  })

  test('a quote that closes on another line amid text ends the file', async () => {
    const rows = await csv('id,name\n1,"5 disk\n2,"ok"\n3,x\n')
    expect(rows.map(({ line, problem, final }) => [line, problem, final])).toEqual([
      [2, 'a quote opens here and closes on another line, with more text after it', true],
    ])
  })

  test('a header that is not UTF-8 ends the file, and no other line takes its place', async () => {
    const latin = Buffer.from('id,stra\xdfe\nsecret,1\n', 'latin1')
    for (const chunk of [1, 100]) {
      expect(await csv(new Uint8Array(latin), { chunk })).toEqual([
        { line: 1, problem: `the header is ${notUtf8(1, 7)}`, final: true },
      ])
    }
  })

  test('a wrong byte is told by its line and its place, also in quotes and behind U+FFFD', async () => {
    const bytes = Buffer.concat([
      encode('a,b\n\ufffd,"x\n\ufffd'),
      Uint8Array.of(0xe4),
      encode('"\nc,d\n'),
    ])
    const rows = await csv(new Uint8Array(bytes))
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [2, notUtf8(3, 14)],
      [4, undefined],
    ])
  })

  test('a row that is too long is refused without being held', async () => {
    async function* endless(): AsyncIterable<Uint8Array> {
      yield encode('id,n\n1,')
      for (let i = 0; i < 5000; i++) yield encode('x'.repeat(1000))
      yield encode('\n2,y\n')
    }
    const limit = 'longer than 1.0 MiB, the limit for a record; raise it with --max-record'
    const problem = `a row ${limit}`
    const tsv = { ...CSV, quotes: false }
    const rows = await rowsOf(csvSource(await textOfChunks(endless()), tsv))
    expect(rows[0]).toEqual({ line: 2, problem })
    expect(rows).toHaveLength(2)
    const [row] = await rowsOf(csvSource(await textOfChunks(endless()), CSV))
    expect(row).toMatchObject({ line: 2, final: true, problem: expect.stringContaining(problem) })
    const json = await rowsOf(jsonlSource(await textOfChunks(endless()), MAX))
    expect(json.map(({ line }) => line)).toEqual([1, 2, 3])
    expect(json[1]).toEqual({ line: 2, problem: `a line ${limit}` })
  })

  test('an array that is too long for a line is named as one', async () => {
    const [row] = await jsonl(`[{"a":"${'x'.repeat(MAX)}"}]\n`, 1000)
    expect(row?.problem).toMatch(
      /^an array on a line longer .*; `jq -c \.\[\]` converts an array to JSON lines$/,
    )
  })

  test('any table comes back, however it is quoted, cut into chunks and encoded', async () => {
    const unit = fc.constantFrom('a', ',', '"', '\n', '\r\n', '\r', 'ü', '🏔', ' ', '\ufffd', '\t')
    const field = fc.record({ text: fc.string({ unit, maxLength: 6 }), quoted: fc.boolean() })
    const row = fc.record({ fields: fc.tuple(field, field), end: fc.constantFrom('\n', '\r\n') })
    const table = fc.array(row, { maxLength: 12 })
    const last = fc.constantFrom('\n', '\r\n', '\r', '')
    const chunks = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 })
    const form = fc.constantFrom('utf8', 'utf8 with a mark', 'utf16le', 'utf16be')
    await fc.assert(
      fc.asyncProperty(table, last, chunks, form, async (rows, lastEnd, lengths, encoding) => {
        let text = 'c1,c2'
        const expected: unknown[] = []
        rows.forEach(({ fields: [c1, c2] }, i) => {
          text += i === 0 ? '\r\n' : (rows[i - 1]?.end ?? '')
          expected.push([text.split('\n').length, { c1: c1.text, c2: c2.text }])
          text += `${written(c1)},${written(c2)}`
        })
        text += lastEnd
        const read = await rowsOf(
          csvSource(await textOfChunks(pieces(text, encoding, lengths)), CSV),
        )
        expect(read.map(({ line, record }) => [line, { ...(record as object) }])).toEqual(expected)
      }),
      { numRuns },
    )
  })

  test('any JSON lines come back, however they end, are cut into chunks and encoded', async () => {
    const record = fc.dictionary(fc.string({ unit: 'binary', maxLength: 4 }), fc.jsonValue())
    const line = fc.record({ record, end: fc.constantFrom('\n', '\r\n', ' \r \n', '\n\r\n') })
    const chunks = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 })
    const form = fc.constantFrom('utf8', 'utf8 with a mark', 'utf16le', 'utf16be')
    await fc.assert(
      fc.asyncProperty(fc.array(line), chunks, form, async (lines, lengths, encoding) => {
        const texts = lines.map(({ record }) => JSON.stringify(record))
        const text = lines.map(({ end }, i) => `${texts[i]}${end}`).join('')
        const source = jsonlSource(await textOfChunks(pieces(text, encoding, lengths)), MAX)
        expect((await rowsOf(source)).map(({ json }) => json)).toEqual(texts)
      }),
      { numRuns },
    )
  })
})

/** A field of CSV, in quotes if it must be or may be. */
function written({ text, quoted }: { text: string; quoted: boolean }): string {
  const must = /[",\n]|\r$/.test(text)
  return must || quoted ? `"${text.replaceAll('"', '""')}"` : text
}

/** A text in an encoding, in chunks of these lengths, over and over. */
async function* pieces(text: string, encoding: string, lengths: number[]) {
  const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le')
  const bytes =
    encoding === 'utf16le'
      ? utf16
      : encoding === 'utf16be'
        ? utf16.swap16()
        : encode(encoding === 'utf8' ? text : `\ufeff${text}`)
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1
    yield new Uint8Array(bytes.subarray(at, at + length))
    at += length
  }
}
