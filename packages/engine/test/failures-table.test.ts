import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const PACKAGES = new URL('../../', import.meta.url)
const NUMBERS = 43

interface Row {
  number: number
  cells: string[]
  /** Of tests: file and name. */
  tests: { file: string; name: string }[]
  notYet: boolean
}

const rows: Row[] = readFileSync(new URL('../FAILURES.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => {
    const [number = '', ...cells] = line.slice(2, -2).split(' | ')
    const shown = (cells[2] ?? '').split('<br>')
    return {
      number: Number(number),
      cells,
      tests: shown.flatMap((part) => {
        const [, file, name] = /^`(\S+) › (.+)`$/.exec(part) ?? []
        return file === undefined || name === undefined ? [] : [{ file, name }]
      }),
      notYet: shown.some((part) => /^Not yet: .+\.\)?$/.test(part)),
    }
  })

/** Whether a file has a test, a group of tests, or a row of a table of tests, of this name. */
function hasTest(source: string, name: string): boolean {
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(^\\s*|[([]\\s*)(['"\`])${quoted}\\2,`, 'm').test(source)
}

test('there is one row for each number, in order, and no other', () => {
  const numbers = Array.from({ length: NUMBERS }, (_, i) => i + 1)
  expect(rows.map(({ number }) => number)).toEqual(numbers)
})

test.each(rows)(
  '$number: is shown by tests that exist and have its number, or says that it is not',
  ({ number, cells, tests, notYet }) => {
    expect(cells).toHaveLength(3)
    const shown = (cells[2] ?? '').split('<br>')
    expect(tests.length + (notYet ? 1 : 0), 'parts that are understood').toBe(shown.length)
    for (const { file, name } of tests) {
      const path = new URL(file, PACKAGES)
      expect(existsSync(path), `${file} exists`).toBe(true)
      expect(hasTest(readFileSync(path, 'utf8'), name), `${file} has “${name}”`).toBe(true)
      const own = /^(\d+(?:, \d+)*): /.exec(name)?.[1]?.split(', ')
      expect(own, `“${name}” is named after ${number}`).toContain(String(number))
    }
  },
)
