import { encodeTuple } from '@firn/bytes'
import { isFirnError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CommandError, UsageError } from '../src/errors.js'
import { problemOf } from '../src/load/bad-row.js'
import { csvSource } from '../src/load/csv-source.js'
import { jsonlSource } from '../src/load/jsonl-source.js'
import { KeyFields } from '../src/load/key-fields.js'
import type { RowSource } from '../src/load/row-source.js'
import { bytesOfDigits, keyOfJson, keyOfParts, valueOfJson } from '../src/load/stored-form.js'
import { textOf } from '../src/load/text-input.js'
import { parseMoment } from '../src/moment.js'
import { bytesOf } from '../src/text/byte-text.js'
import { tupleFromJson } from '../src/text/tuple-json.js'

const numRuns = LONG ? 20_000 : 400
const ENCODINGS = ['utf8', 'json', 'tuple'] as const

/** Text of a format, damaged: its words in any order, and any characters and bytes between them. */
function damaged(words: readonly string[]): fc.Arbitrary<Uint8Array> {
  const encoder = new TextEncoder()
  const word = fc.constantFrom(...words).map((text) => encoder.encode(text))
  const piece = fc.oneof({ arbitrary: word, weight: 4 }, fc.uint8Array({ maxLength: 4 }))
  return fc.array(piece, { maxLength: 30 }).map((pieces) => Uint8Array.from(Buffer.concat(pieces)))
}

/** Chunks of a stream, which end anywhere. */
async function* cut(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7)
}

const text = (bytes: Uint8Array) => textOf({ name: 'file', chunks: () => cut(bytes) })
const maxRecordBytes = 1024 * 1024

/** Reads all rows, and what each would be stored as: a row is good, or has its problem told. */
async function load(source: RowSource): Promise<void> {
  for await (const rows of source) {
    for (const { line, record, json, problem } of rows) {
      expect(line).toBeGreaterThan(0)
      expect(problem === undefined).toBe(record !== undefined)
      const { key, value } = (record ?? {}) as { key?: unknown; value?: unknown }
      for (const encoding of ENCODINGS) {
        told(() => keyOfJson(key, encoding))
        told(() => keyOfParts([key, value], encoding))
        told(() => new KeyFields(['key', 'value.a']).of(record, json))
        told(() => valueOfJson(value, json ?? '', encoding))
        told(() => bytesOfDigits(value, key, 'the value'))
      }
    }
  }
}

/** What can't be stored is the row's problem, in words. */
function told(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (problemOf(error) === undefined) throw error
  }
}

/** Work that may be refused by an error of the command line's own. */
async function refused(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    const own = error instanceof UsageError || error instanceof CommandError
    if (!own && !isFirnError(error, 'FIRN_INVALID_ARGUMENT')) throw error
  }
}

const JSON_WORDS = [
  '{',
  '}',
  '[',
  ']',
  '"key":',
  '"value":',
  '"a"',
  ',',
  '1e999',
  '9007199254740993',
]
const MORE_JSON = ['"\\ud800"', '"__proto__":', '{"bigint":"9"}', '{"date":"x"}', '{"base64":"*"}']
const TABLE_WORDS = ['a', '"', '""', ',', '\t', '\n', '\r\n', '\ufeff', '__proto__', 'key', 'value']

describe('40: whatever comes in', () => {
  test('JSON lines are rows, or rows with a problem', async () => {
    const lines = damaged([...JSON_WORDS, ...MORE_JSON, '\n', '{"key":[1],"value":2}\n'])
    await fc.assert(
      fc.asyncProperty(lines, (bytes) =>
        refused(async () => load(jsonlSource(await text(bytes), maxRecordBytes))),
      ),
      { numRuns },
    )
  })

  test('tables are rows, or rows with a problem', async () => {
    const options = fc.record({
      delimiter: fc.constantFrom(',', '\t'),
      quotes: fc.boolean(),
      header: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(damaged(TABLE_WORDS), options, (bytes, how) =>
        refused(async () =>
          load(csvSource(await text(bytes), { ...how, maxRecordBytes, onColumns: () => {} })),
        ),
      ),
      { numRuns },
    )
  })

  test('a tuple is one that can be stored, or none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), (json) =>
        refused(() => encodeTuple(tupleFromJson(json))),
      ),
      { numRuns },
    )
    for (const depth of [64, 65, 100_000]) {
      const nested: unknown = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
      await refused(() => encodeTuple(tupleFromJson(nested)))
    }
  })

  test('arguments are bytes, a moment, or refused', async () => {
    const clock = new TestEnv()
    const words = [
      '2026-05-01',
      'T12:30',
      ':00',
      '.5',
      'Z',
      '+99:99',
      '9',
      'd',
      '-',
      '02-30',
      '=',
      'é',
    ]
    const anyText = damaged(words).map((bytes) => new TextDecoder().decode(bytes))
    await fc.assert(
      fc.asyncProperty(anyText, async (argument) => {
        for (const format of ['text', 'hex', 'base64'] as const) {
          await refused(() => bytesOf(argument, format, 'the key'))
        }
        await refused(() => {
          const moment = parseMoment(argument, clock)
          for (const number of Object.values(moment)) {
            expect(Number.isSafeInteger(number)).toBe(true)
          }
        })
      }),
      { numRuns },
    )
  })
})
