import { expect, test } from 'vitest'
import { Decisions } from '../src/decisions.js'
import { OPERATIONS } from '../src/operations/operations.js'
import { drawTheme, factorOf, THEMES } from '../src/themes.js'

test.each(THEMES)('$name is about operations that there are', ({ often }) => {
  const names = OPERATIONS.map(({ name }) => name)
  expect(often.filter((name) => !names.includes(name))).toEqual([])
})

test('every theme is drawn by some seed of a few', () => {
  const drawn = Array.from({ length: 200 }, (_, seed) => drawTheme(new Decisions(seed)).name)
  expect([...new Set(drawn)].sort()).toEqual(THEMES.map(({ name }) => name).sort())
})

test('a run without decisions has the first theme, in which all is as usual', () => {
  const theme = drawTheme(new Decisions(7, new Map()))
  expect(theme).toBe(THEMES[0])
  expect(factorOf(theme, 'put')).toBe(1)
})
