import { encodeTuple, type TupleValue, utf8Encode } from '@firn/bytes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alignColumns } from '../src/text/aligned-columns.js'
import { documentOf, lineOf, printableJson } from '../src/text/byte-text.js'
import { jsonElementText, jsonMemberTexts, jsonTextOf } from '../src/text/json-text.js'
import { formatBytes, formatDuration, formatTimestamp } from '../src/text/quantities.js'
import { rowJson } from '../src/text/row-json.js'
import { TableText } from '../src/text/table-text.js'
import { fitToWidth, textWidth } from '../src/text/text-width.js'
import { tupleFromJson, tupleToJson } from '../src/text/tuple-json.js'

describe('bytes as text', () => {
  test('UTF-8 shows as itself, everything else with escapes', () => {
    expect(lineOf(utf8Encode('grüße \\ 🏔'))).toBe('grüße \\ 🏔')
    expect(lineOf(Uint8Array.of(0x61, 0xff))).toBe('a\\xff')
  })

  test('nothing that a terminal would act on goes out', () => {
    expect(lineOf(utf8Encode('\u001b[2J'))).toBe('\\x1b[2J')
    expect(lineOf(utf8Encode('a\nb'))).toBe('a\\x0ab')
    expect(documentOf(utf8Encode('a\n\tb'))).toBe('a\n\tb')
    expect(documentOf(utf8Encode('a\n\u001bb'))).toBe('a\\x0a\\x1bb')
    expect(printableJson('{"a":"\u202e"}')).toBe('{"a":"\\u202e"}')
    expect(JSON.parse(printableJson('"\u{e0001}\u202e"'))).toBe('\u{e0001}\u202e')
  })
})

describe('JSON text', () => {
  test('keeps digits that a number would lose, and stands on one line', () => {
    expect(jsonTextOf(utf8Encode('{\n  "n": 12345678901234567890\n}'))).toBe(
      '{ "n": 12345678901234567890 }',
    )
    expect(jsonTextOf(utf8Encode('{nope'))).toBeUndefined()
    expect(jsonTextOf(Uint8Array.of(0xff))).toBeUndefined()
  })

  test('a member is cut out of an object as it stands there', () => {
    const text = ' { "a" : [1, {"value":2}] , "value" : {"x": "}\\"", "n":1e400} , "b":"value" } '
    expect(jsonMemberTexts(text, 'value')).toEqual(['{"x": "}\\"", "n":1e400}'])
    expect(jsonMemberTexts(text, 'a')).toEqual(['[1, {"value":2}]'])
    expect(jsonMemberTexts(text, 'b')).toEqual(['"value"'])
    expect(jsonMemberTexts(text, 'c')).toEqual([])
    expect(jsonMemberTexts('{}', 'c')).toEqual([])
    expect(jsonMemberTexts('{"v\\u0061lue":1}', 'value')).toEqual(['1'])
    expect(jsonMemberTexts('{"value":1,"value":2}', 'value')).toEqual(['1', '2'])
    expect(jsonMemberTexts('{"a":1\r,"b":2\r}', 'b')).toEqual(['2'])
    expect(jsonElementText(' [1, [2,"]"] ,{"a":[]}]', 1)).toBe('[2,"]"]')
    expect(jsonElementText('[1,2]', 2)).toBeUndefined()
  })

  test('members of any object are found', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue())
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 2), (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        for (const [name, value] of Object.entries(JSON.parse(text) as object)) {
          expect(JSON.parse(jsonMemberTexts(text, name)[0] ?? 'missing')).toEqual(value)
        }
      }),
    )
  })
})

describe('tuples as JSON', () => {
  test('every type comes back', () => {
    const tuple: TupleValue[] = [
      'a',
      1.5,
      Number.NEGATIVE_INFINITY,
      -12345678901234567890n,
      true,
      null,
      new Date('2026-01-02T03:04:05.678Z'),
      Uint8Array.of(0, 255),
      ['nested', [1n]],
    ]
    expect(tupleFromJson(JSON.parse(JSON.stringify(tupleToJson(tuple))))).toEqual(tuple)
  })

  test.each([
    ['a string', '"a"'],
    ['an object in it', '[{"a":1}]'],
    ['two members', '[{"date":"2026-01-01","base64":""}]'],
    ['no date', '[{"date":"soon"}]'],
    ['a number that loses digits', '[12345678901234567890]'],
  ])('%s is refused', (_, json) => {
    expect(() => tupleFromJson(JSON.parse(json))).toThrow(
      expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' }),
    )
  })
})

describe('text of a table', () => {
  const tuples = new TableText({ keys: 'tuple', values: 'json' }, 'text')

  test('tuple keys are written as JSON arrays', () => {
    expect(tuples.key('["eu",7]')).toEqual(encodeTuple(['eu', 7]))
    expect(tuples.showKey(encodeTuple(['eu', 7]))).toBe('["eu",7]')
    expect(() => tuples.key('eu')).toThrow(/JSON array/)
  })

  test('JSON values are checked and stored as written', () => {
    expect(tuples.value(' {"n":12345678901234567890} ')).toEqual(
      utf8Encode('{"n":12345678901234567890}'),
    )
    expect(() => tuples.value('{nope')).toThrow(expect.objectContaining({ status: 2 }))
  })

  test('a row that JSON cannot hold is Base64 and says so', () => {
    const text = new TableText({ keys: 'bytes', values: 'bytes' }, 'text')
    expect(rowJson(text, utf8Encode('k'), utf8Encode('v'))).toBe('{"key":"k","value":"v"}')
    expect(rowJson(text, utf8Encode('k'), Uint8Array.of(0xff))).toBe(
      '{"key":"aw==","value":"/w==","encoding":"base64"}',
    )
    const hex = new TableText({ keys: 'bytes', values: 'bytes' }, 'hex')
    expect(rowJson(hex, utf8Encode('k'), undefined)).toBe('{"key":"6b","encoding":"hex"}')
  })
})

describe('columns', () => {
  test('are aligned by what a terminal makes of the text', () => {
    expect(textWidth('日本')).toBe(4)
    expect(textWidth('e\u0301')).toBe(1)
    expect(textWidth('🏔️🇩🇪')).toBe(4)
    const lines = alignColumns(
      [{ title: 'name' }, { title: 'n', align: 'right' }],
      [
        ['日本', '1'],
        ['x', '1000'],
      ],
    )
    expect(lines).toEqual(['name     n', '日本     1', 'x     1000'])
  })

  test('are cut without breaking a character', () => {
    expect(fitToWidth('abc', 3)).toBe('abc')
    expect(fitToWidth('abcd', 3)).toBe('ab…')
    expect(fitToWidth('日本語', 4)).toBe('日…')
    expect(fitToWidth('👩‍👩‍👧x', 2)).toBe('…')
  })
})

test('quantities read well', () => {
  expect([0, 1023, 1536, 1024 ** 2 * 250].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.5 KiB',
    '250 MiB',
  ])
  expect([12, 2340, 90_000, 119_999].map(formatDuration)).toEqual([
    '12 ms',
    '2.3 s',
    '1 min 30 s',
    '2 min',
  ])
  expect(formatTimestamp(1_700_000_000_123_456)).toBe('2023-11-14T22:13:20.123456Z')
})
