import { TestEnv } from '@firn/env/testing'
import { expect, test } from 'vitest'
import { parseMoment } from '../src/moment.js'

const clock = new TestEnv({ now: 1_800_000_000_000_000 })

test('whole numbers are versions', () => {
  expect(parseMoment('0', clock)).toEqual({ version: 0 })
  expect(parseMoment('42', clock)).toEqual({ version: 42 })
})

test('times keep their microseconds and honour their zone', () => {
  const base = Date.parse('2026-05-01T12:30:15Z') * 1000
  expect(parseMoment('2026-05-01T12:30:15Z', clock)).toEqual({ timestamp: base })
  expect(parseMoment('2026-05-01 14:30:15.000123+02:00', clock)).toEqual({ timestamp: base + 123 })
  expect(parseMoment('2026-05-01T12:30:15.1234567Z', clock)).toEqual({ timestamp: base + 123_456 })
})

test('times without a zone are local, a date is its first moment', () => {
  const local = new Date(2026, 4, 1).getTime() * 1000
  expect(parseMoment('2026-05-01', clock)).toEqual({ timestamp: local })
  expect(parseMoment('2026-05-01T00:00', clock)).toEqual({ timestamp: local })
})

test('durations are a while ago', () => {
  const now = clock.now()
  expect(parseMoment('90s', clock)).toEqual({ timestamp: now - 90e6 })
  expect(parseMoment('15m', clock)).toEqual({ timestamp: now - 900e6 })
  expect(parseMoment('2h', clock)).toEqual({ timestamp: now - 7200e6 })
  expect(parseMoment('3d', clock)).toEqual({ timestamp: now - 3 * 86_400e6 })
})

test.each([
  '',
  'yesterday',
  '-1',
  '1.5',
  '2026-13-01',
  '2026-02-30',
  '2026-05-01T25:00Z',
  '5 m',
  '9'.repeat(20),
])('%j is wrong usage', (text) => {
  expect(() => parseMoment(text, clock)).toThrow(expect.objectContaining({ status: 2 }))
})
