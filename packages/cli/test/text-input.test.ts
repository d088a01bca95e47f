import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { jsonLines, makeConsole } from './console.js'

const console = makeConsole()
const firn = console.firn.bind(console)
const ok = console.ok.bind(console)

const CSV = 'id,name\r\n1,Zürich\r\n2,"Ulm\r\nan der Donau"\r\n'
const JSONL = '{"id":"1","name":"Zürich"}\n{"id":"2","name":"Ulm"}\n'
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const utf16 = (text: string) => Buffer.from(text, 'utf16le')
const utf32 = (text: string) =>
  Buffer.concat([...text].map((c) => Uint8Array.of(c.codePointAt(0) ?? 0, 0, 0, 0)))

/**
 * Loads a file in each way that an option may try to get on with it: none does, and none leaves a
 * trace.
 */
async function refused(bytes: Uint8Array, kind: string): Promise<void> {
  await writeFile(console.path('f'), bytes)
  for (const more of [[], ['--skip-bad'], ['--atomic'], ['--format', 'csv', '--skip-bad']]) {
    for (const file of ['f', '-']) {
      const args = ['load', file, '--key', 'id', ...more]
      const { status, out, err } = await firn(args, { stdin: bytes })
      expect({ args, status, out }).toEqual({ args, status: 1, out: '' })
      expect(err).toContain(kind)
      expect(err).toContain('nothing is loaded')
    }
  }
  expect(existsSync(console.path('firn_data'))).toBe(false)
}

describe('what is not text is named, and nothing of it is loaded', () => {
  test.each<[string, Uint8Array]>([
    ['gzip-compressed', gzipSync(JSONL)],
    ['a zip archive', bytesOf('PK\x03\x04\x14\0\0\0\x08\0\n\n')],
    ['zstd-compressed', bytesOf('\x28\xb5\x2f\xfd\x04\x00\xc9\x01')],
    ['bzip2-compressed', bytesOf('BZh91AY&SY\x9c\x1f\x00\x01')],
    ['xz-compressed', bytesOf('\xfd7zXZ\x00\x00\x04')],
    ['lz4-compressed', bytesOf('\x04\x22\x4d\x18\x64\x40')],
    ['a Parquet file', bytesOf('PAR1\x15\x04\x15\x20')],
    ['an Avro file', bytesOf('Obj\x01\x04\x14avro.codec')],
    ['a SQLite database', bytesOf('SQLite format 3\0\x10\0')],
    ['a PDF document', bytesOf('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n')],
    ['an Office document', bytesOf('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')],
    ['a PNG picture', bytesOf('\x89PNG\r\n\x1a\n\0\0\0\rIHDR')],
    ['UTF-32', Buffer.concat([bytesOf('\xff\xfe\0\0'), utf32(CSV)])],
    ['UTF-32', bytesOf('\0\0\xfe\xff\0\0\0i')],
    ['UTF-32LE without', utf32(CSV)],
    ['UTF-32BE without', new Uint8Array(Buffer.from(utf32(CSV)).swap32())],
    ['UTF-16LE without', utf16(CSV)],
    ['UTF-16LE without', utf16('ключ,имя\n1,один\n')],
    ['UTF-16BE without', new Uint8Array(utf16(JSONL).swap16())],
    ['binary data', bytesOf('\x02\x91\xfe\x17\x01\xab\xcc\x03\n\x05\x92\xb1')],
    ['binary data', bytesOf('\x7f\0\0\x01\x02\0\0\0\x05\0\0')],
  ])('%s', async (kind, bytes) => refused(new Uint8Array(bytes), kind))

  test('the message says how to load it all the same', async () => {
    const { err } = await firn(['load', '-'], { stdin: new Uint8Array(gzipSync(JSONL)) })
    expect(err).toBe(
      'firn: stdin: this is gzip-compressed, not UTF-8 text; nothing is loaded; `gunzip -c <file> | firn load -` unpacks it\n',
    )
  })

  test('text may begin with the letters of a magic number', async () => {
    for (const name of ['PAR1', 'ORCHID', 'BZhang', 'GIF89', 'ARROW1']) {
      const args = ['load', '-', '--format', 'csv', '--key', name, '--table', name]
      expect(await firn(args, { stdin: `${name},n\nä,1\n` })).toMatchObject({ status: 0 })
    }
  })
})

describe('UTF-16 with a mark and UTF-8 with a mark are read', () => {
  test.each<[string, Uint8Array]>([
    ['UTF-8', Buffer.from(`\ufeff${CSV}`)],
    ['UTF-16LE', utf16(`\ufeff${CSV}`)],
    ['UTF-16BE', utf16(`\ufeff${CSV}`).swap16()],
  ])('%s', async (_, bytes) => {
    await writeFile(console.path('f.csv'), bytes)
    const loaded = await ok(['load', 'f.csv', '--key', 'id'])
    expect(loaded).toMatch(/^2 records loaded/)
    expect(jsonLines(await ok(['scan', '--json']))).toEqual([
      { key: '1', value: { id: '1', name: 'Zürich' } },
      { key: '2', value: { id: '2', name: 'Ulm\r\nan der Donau' } },
    ])
  })

  test('half a character in UTF-16 ends the load and nothing is made of it', async () => {
    const broken = Buffer.concat([utf16(`\ufeff${JSONL}`), bytesOf('\x00\xd8\x0a\x00')])
    const { status, err } = await firn(['load', '-', '--key', 'id'], {
      stdin: new Uint8Array(broken),
    })
    expect(status).toBe(1)
    expect(err).toContain('half a character')
  })
})

describe('Latin-1', () => {
  const latin = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

  test('in the header: refused with its place, and no stored value is shown', async () => {
    const csv = latin('id,stra\xdfe\ngeheim,47\nkey2,48\n')
    for (const more of [[], ['--skip-bad'], ['--atomic']]) {
      const args = ['load', '-', '--format', 'csv', '--key', 'id', ...more]
      const { status, out, err } = await firn(args, { stdin: csv })
      expect({ status, out }).toEqual({ status: 1, out: '' })
      expect(err).toContain('stdin:1: the header is not UTF-8 text (line 1, byte offset 7)')
      expect(err).toContain('iconv -f LATIN1')
      expect(err).not.toContain('geheim')
    }
    expect(existsSync(console.path('firn_data'))).toBe(false)
  })

  test('in a row: stops with what is before it, skipped with --skip-bad, all or nothing with --atomic', async () => {
    const csv = latin('id,n\na,1\nb,f\xfcnf\nc,3\n')
    const args = ['load', '-', '--format', 'csv', '--key', 'id']
    const atomic = await firn([...args, '--atomic', '--table', 'x'], { stdin: csv })
    expect(atomic.status).toBe(1)
    expect(atomic.err).toMatch(
      /^firn: stdin:3: not UTF-8 text .line 3, byte offset 12.*; nothing is loaded;/,
    )
    expect(await firn(args, { stdin: csv })).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^firn: stdin:3: not UTF-8.*with 1 record before it loaded; fix/),
    })
    expect(await ok(['scan', '--keys-only'])).toBe('a\n')
    const skipping = await firn([...args, '--skip-bad'], { stdin: csv })
    expect(skipping).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^2 records.*1 skipped/),
    })
    expect(await ok(['scan', '--keys-only'])).toBe('a\nc\n')
  })

  test('a load that skips everything fails', async () => {
    const { status, err } = await firn(['load', '-', '--key', 'id', '--skip-bad'], {
      stdin: 'name\nUlm\n',
    })
    expect(status).toBe(1)
    expect(err).toContain('stdin: none of its 2 records can be loaded')
  })
})

test('a file whose lines end with CR alone is named as such', async () => {
  const csv = await firn(['load', '-', '--format', 'csv', '--key', 'id'], {
    stdin: 'id,n\rgeheim,1\rb,2\r',
  })
  expect(csv.status).toBe(2)
  expect(csv.err).toContain('CR alone')
  expect(csv.err).not.toContain('geheim')
  const json = await firn(['load', '-', '--key', 'id'], { stdin: '{"id":"a"}\r{"id":"b"}\r' })
  expect(json.status).toBe(1)
  expect(json.err).toContain('CR alone')
})

test('bytes that are no text in the middle of a file are rows that cannot be loaded', async () => {
  const long = Array.from({ length: 100 }, (_, i) => `k${i},some text\n`).join('')
  const csv = `id,n\n${long}x,a\0b\ny,1\n`
  const args = ['load', '-', '--format', 'csv', '--key', 'id']
  const { status, err } = await firn(args, { stdin: csv })
  expect(status).toBe(1)
  expect(err).toContain(
    'stdin:102: not text: it contains a NUL character; stopped there, with 100 records',
  )
  expect(await firn([...args, '--skip-bad'], { stdin: csv })).toMatchObject({ status: 0 })
})

test('--max-record bounds what a line may be', async () => {
  const line = `{"id":"a","x":"${'y'.repeat(1_100_000)}"}\n`
  const args = ['load', '-', '--key', 'id', '--max-record']
  const { status, err } = await firn([...args, '1'], { stdin: line })
  expect(status).toBe(1)
  expect(err).toContain('stdin:1: a line longer than 1.0 MiB, the limit for a record')
  expect(await firn([...args, '2'], { stdin: line })).toMatchObject({ status: 0 })
  expect(await firn([...args, '0'], { stdin: line })).toMatchObject({ status: 2 })
})
