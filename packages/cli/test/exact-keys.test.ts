import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isExactNumber } from '../src/text/exact-json.js'
import { jsonLines, makeConsole } from './console.js'

const console = makeConsole()
const firn = console.firn.bind(console)
const ok = console.ok.bind(console)

const load = (args: string[], stdin: string) => firn(['load', '-', ...args], { stdin })

describe('a number that does not come back as it went in is no key', () => {
  const numbers = ['0.30000000000000001', '1e400', '1e999', '-1e400', '1e-400', '-0', '-0.0']
  const beyond = ['9007199254740993', '12345678901234567890', '0.1234567890123456789', '-0e5']

  test.each([...numbers, ...beyond])('%s', async (number) => {
    const rows: [string[], string][] = [
      [['--key', 'id'], `{"id":${number}}`],
      [['--key', 'a.id'], `{"a":{"x":1,"id":${number}}}`],
      [['--key', 'a.1'], `{"a":[7,${number}]}`],
      [['--key', 'x', '--key', 'id'], `{"x":"y","id":${number}}`],
      [['--key', 'id', '--keys', 'tuple'], `{"id":["a",[${number}]]}`],
      [[], `{"key":${number},"value":1}`],
      [['--keys', 'tuple'], `{"value":1,"key":["a",${number}]}`],
      [['--keys', 'tuple', '--values', 'tuple'], `{"key":["a"],"value":[${number}]}`],
    ]
    for (const [i, [args, row]] of rows.entries()) {
      const { status, err } = await load([...args, '--table', `t${i}`], `${row}\n`)
      expect({ row, status }).toEqual({ row, status: 1 })
      expect(err).toMatch(/would come back as another one|beyond 2\^53/)
      if (number.length > 4) expect(err).not.toContain(number)
    }
    await ok(['put', '["a"]', '1', '--keys', 'tuple', '--table', 'tuples'])
    for (const args of [
      ['put', `[${number}]`, '1'],
      ['get', `[${number}]`],
      ['scan', '--from', `[${number}]`],
    ]) {
      const { status, err } = await firn([...args, '--table', 'tuples'])
      expect({ args, status }).toEqual({ args, status: 2 })
      expect(err).toMatch(/would come back as another one|beyond 2\^53/)
    }
  })

  test('what has the same value in another form is that key', async () => {
    const rows = [
      '1.0',
      '1e0',
      '10e-1',
      '0.1',
      '0.10',
      '1E-7',
      '0',
      '0.0',
      '0e9',
      '-2.50',
      '123.456e-3',
    ]
    expect((await load(['--key', 'id'], rows.map((n) => `{"id":${n}}\n`).join(''))).err).toBe('')
    const keys = (jsonLines(await ok(['scan', '--json'])) as { key: string }[]).map(
      ({ key }) => key,
    )
    expect(keys.sort()).toEqual(['-2.5', '0', '0.1', '0.123456', '1', '1e-7'].sort())
  })

  test('a value that is JSON keeps all digits', async () => {
    const record = '{"id":"a","n":0.30000000000000001,"big":1e999,"z":-0}'
    expect((await load(['--key', 'id'], record)).err).toBe('')
    expect(await ok(['get', 'a'])).toBe(`${record}\n`)
  })

  test('exact is what prints as the same decimal number', () => {
    const decimal = fc.tuple(
      fc.constantFrom('', '-'),
      fc.bigInt({ min: 1n, max: 10n ** 18n }),
      fc.integer({ min: -30, max: 30 }),
    )
    fc.assert(
      fc.property(decimal, ([sign, digits, exponent]) => {
        const text = `${sign}${digits}e${exponent}`
        // Ten to the thirtieth times both are whole numbers, which BigInt compares.
        const whole = (number: string): bigint => {
          const [mantissa = '', power = '0'] = number.split('e')
          const [before = '', after = ''] = mantissa.split('.')
          return BigInt(before + after) * 10n ** BigInt(60 + Number(power) - after.length)
        }
        expect(isExactNumber(text)).toBe(whole(text) === whole(String(Number(text))))
      }),
    )
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(isExactNumber(JSON.stringify(number))).toBe(true)
      }),
    )
  })
})

test('a field that is there twice is no key', async () => {
  const rows: [string[], string][] = [
    [['--key', 'id'], '{"id":"geheim","n":1,"id":"b"}'],
    [['--key', 'id'], '{"id":"geheim","i\\u0064":"b"}'],
    [['--key', 'a.b'], '{"a":{"b":"geheim"},"a":{"b":"c"}}'],
    [[], '{"key":"geheim","value":1,"key":"b"}'],
    [[], '{"key":"geheim","value":1,"value":2}'],
    [['--keys', 'tuple', '--table', 't'], '{"key":["x",{"bigint":"1","bigint":"2"}],"value":1}'],
  ]
  for (const [args, row] of rows) {
    const { status, err } = await load(args, row)
    expect({ row, status }).toEqual({ row, status: 1 })
    expect(err).toMatch(/the field "\w+" occurs twice|a member that occurs twice/)
    expect(err).not.toContain('geheim')
  }
  // Elsewhere in a record it is a part of the value like any other.
  expect(await load(['--key', 'id'], '{"id":"a","x":{"id":1,"id":2},"n":1,"n":2}')).toMatchObject({
    status: 0,
  })
})

describe('a date that does not come back as it went in is no key', () => {
  const put = (date: string) =>
    firn(['put', `[{"date":"${date}"}]`, 'x', '--keys', 'tuple', '--table', 'dates'])

  test.each([
    '2026-02-30',
    '2026-02-30T00:00:00Z',
    '2026-04-31',
    '2025-02-29',
    '2026-13-01',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00.0001Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00+24:00',
    '1 Feb 2026',
    '2026',
    '1',
    'today',
    '2026-01-01T00:00:00z ',
  ])('%s', async (date) => {
    const { status, err } = await put(date)
    expect(status).toBe(2)
    expect(err).toContain('a date must exist in the calendar')
    const row = await load(['--keys', 'tuple'], `{"key":[{"date":"${date}"}],"value":1}`)
    expect(row.status).toBe(1)
  })

  test.each([
    ['2026-02-28', '2026-02-28T00:00:00.000Z'],
    ['2024-02-29T12:30Z', '2024-02-29T12:30:00.000Z'],
    ['2026-01-01T00:00:00.500+02:00', '2025-12-31T22:00:00.500Z'],
    ['2026-01-01T00:00:00.1200Z', '2026-01-01T00:00:00.120Z'],
    ['-000001-12-31T23:59:59.999Z', '-000001-12-31T23:59:59.999Z'],
    ['+275760-09-13T00:00:00.000Z', '+275760-09-13T00:00:00.000Z'],
    ['+002026-01-01', '2026-01-01T00:00:00.000Z'],
  ])('%s is one', async (date, shown) => {
    expect((await put(date)).status).toBe(0)
    expect(await ok(['scan', '--keys-only', '--table', 'dates'])).toBe(`[{"date":"${shown}"}]\n`)
  })
})
