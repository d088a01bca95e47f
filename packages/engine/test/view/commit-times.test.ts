import { expect, test } from 'vitest'
import { CommitTimes } from '../../src/internal/view/commit-times.js'

const MOST = 65_536

/** Of commits `from` to `to`, at ten microseconds each. */
function momentsOf(from: number, to: number): CommitTimes {
  const moments = new CommitTimes()
  for (let version = from; version <= to; version++) moments.add(version, version * 10)
  return moments
}

test('every commit is remembered, from wherever a process began, until there are too many', () => {
  for (const from of [1, 255, 1_000_003]) {
    const moments = momentsOf(from, from + MOST - 1)
    for (let version = from; version < from + MOST; version++) {
      if (moments.timestampOf(version) !== version * 10) expect.fail(`${version} is forgotten`)
    }
    expect(moments.timestampOf(from + MOST)).toBeUndefined()
    moments.add(from + MOST, 7)
    expect(moments.timestampOf(from + MOST)).toBe(7)
    expect(moments.timestampOf(from)).toBeUndefined()
    expect(moments.timestampOf(from + 1)).toBe((from + 1) * 10)
  }
})

test('a version that is shown twice takes one place', () => {
  const moments = new CommitTimes()
  for (let i = 0; i < 10; i++) moments.add(300, 3000 + i)
  expect(moments.timestampOf(300)).toBe(3009)
  expect(moments.timestampOf(44)).toBeUndefined()
})
