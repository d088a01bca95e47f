import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  ByteReader,
  ByteWriter,
  decodeTuple,
  encodeTuple,
  fromHex,
  hashRange,
  type TupleValue,
  toHex,
} from '../src/index.js'

// Real bytes, annotated. A change to these files is a change to the format. To regenerate them, run
// `npx vitest run golden -u` in this package.

const tuples: TupleValue[][] = [
  [],
  [null],
  [false],
  [true],
  [Number.NEGATIVE_INFINITY],
  [-1.5],
  [-1],
  [0],
  [Number.MIN_VALUE],
  [1],
  [255],
  [1e300],
  [Number.POSITIVE_INFINITY],
  [-(256n ** 127n)],
  [-65536n],
  [-256n],
  [-255n],
  [-1n],
  [0n],
  [1n],
  [255n],
  [256n],
  [256n ** 127n],
  [new Date(-1)],
  [new Date(0)],
  [new Date(1_700_000_000_000)],
  [''],
  ['\0'],
  ['\u0001'],
  ['\u0002'],
  ['a'],
  ['a', 1],
  ['a\0b'],
  ['é€😀'],
  [Uint8Array.of()],
  [Uint8Array.of(0, 1, 2, 0xff)],
  [[]],
  [[], null],
  [[null]],
  [['a', [1n]], 'b'],
]

const varints = [0, 1, 127, 128, 16383, 16384, 2 ** 28, 2 ** 32, 2 ** 49, 2 ** 53 - 1]

function describeValue(value: TupleValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return String(value)
  if (typeof value === 'bigint') {
    const text = `${value}n`
    return text.length < 40 ? text : `${text.slice(0, 12)}… (${text.length - 1} characters)`
  }
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Date) return `Date ${value.toISOString()}`
  if (value instanceof Uint8Array) return `bytes <${toHex(value)}>`
  return `[${value.map(describeValue).join(', ')}]`
}

function hashed(length: number, seed: number): string {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 37) & 0xff)
  return hashRange(bytes, 0, length, seed).toString(16).padStart(8, '0')
}

/** The hexadecimal first column of a golden file. */
async function goldenHex(name: string): Promise<string[]> {
  const text = await readFile(new URL(`golden/${name}`, import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.indexOf('|')).trim())
}

describe('golden bytes', () => {
  test('of tuples are written as ever, and in this order', async () => {
    const lines = tuples.map((tuple) => `${toHex(encodeTuple(tuple))} | ${describeValue(tuple)}`)
    await expect(
      `# Tuple keys in ascending order: bytes | value\n${lines.join('\n')}\n`,
    ).toMatchFileSnapshot('golden/tuples.txt')
    expect(lines.map((line) => line.split(' | ')[0])).toEqual(
      lines.map((line) => line.split(' | ')[0]).sort(),
    )
  })

  test('of tuples are read as ever', async () => {
    const decoded = (await goldenHex('tuples.txt')).map((hex) => decodeTuple(fromHex(hex)))
    expect(decoded).toEqual(tuples)
  })

  test('of varints are written and read as ever', async () => {
    const lines = varints.map((value) => {
      const writer = new ByteWriter()
      writer.varint(value)
      return `${toHex(writer.take())} | ${value}`
    })
    await expect(`# Varints: bytes | value\n${lines.join('\n')}\n`).toMatchFileSnapshot(
      'golden/varints.txt',
    )
    const decoded = (await goldenHex('varints.txt')).map((hex) =>
      new ByteReader(fromHex(hex), 'golden').varint(),
    )
    expect(decoded).toEqual(varints)
  })

  test('of hashes are as ever', async () => {
    const lines = [0, 1, 2, 3, 4, 5, 16, 24, 100].flatMap((length) =>
      [0, 1, 0xffffffff].map((seed) => `${hashed(length, seed)} | ${length} bytes, seed ${seed}`),
    )
    await expect(
      `# hashRange of bytes 0, 37, 74, … modulo 256: hash | input\n${lines.join('\n')}\n`,
    ).toMatchFileSnapshot('golden/hashes.txt')
  })
})
