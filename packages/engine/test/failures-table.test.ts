import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const PACKAGES = new URL('../../', import.meta.url)
const NUMBERS = 43

interface Row {
  number: number
  cells: string[]
  /** Of tests: file and name. */
  tests: { file: string; name: string }[]
  notYet: boolean
  /** Faults and operations of the simulation; `undefined` where it says nothing about them. */
  simulated: string[] | undefined
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
      simulated: simulatedIn(shown),
    }
  })

function simulatedIn(shown: readonly string[]): string[] | undefined {
  const last = shown.at(-1) ?? ''
  if (/^Not simulated: .+\.$/.test(last)) return []
  const names = /^Simulated: (`[^`]+`(?:, `[^`]+`)*)\.$/.exec(last)?.[1]
  return names?.split(', ').map((name) => name.slice(1, -1))
}

/** What goes wrong in the simulation, and what clients do there: as its source names them. */
const SIMULATED: ReadonlySet<string> = new Set(
  [
    'faults.ts',
    'disk/disk-faults.ts',
    'disk/file-damage.ts',
    'chaos.ts',
    ...filesIn('operations/'),
  ].flatMap((file) =>
    [...readSimulation(file).matchAll(/'([A-Za-z][A-Za-z -]*)'/g)].map(([, name = '']) => name),
  ),
)

function readSimulation(file: string): string {
  return readFileSync(new URL(`simulation/src/${file}`, PACKAGES), 'utf8')
}

function filesIn(folder: string): string[] {
  return readdirSync(new URL(`simulation/src/${folder}`, PACKAGES)).map((file) => folder + file)
}

/** Whether a file has a test, a group of tests, or a row of a table of tests, of this name. */
function hasTest(source: string, name: string): boolean {
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(^\\s*|[([]\\s*)(['"\`])${quoted}\\2,`, 'm').test(source)
}

test('there is one row for each number, in order, and no other', () => {
  const numbers = Array.from({ length: NUMBERS }, (_, i) => i + 1)
  expect(rows.map(({ number }) => number)).toEqual(numbers)
})

test.each(rows)('$number: says what of the simulation it is met in', ({ simulated }) => {
  expect(simulated).toBeDefined()
  for (const name of simulated ?? []) {
    expect(SIMULATED.has(name), `${name} is a fault or an operation of the simulation`).toBe(true)
  }
})

test.each(rows)(
  '$number: is shown by tests that exist and have its number, or says that it is not',
  ({ number, cells, tests, notYet, simulated }) => {
    expect(cells).toHaveLength(3)
    const shown = (cells[2] ?? '').split('<br>')
    const understood = tests.length + (notYet ? 1 : 0) + (simulated === undefined ? 0 : 1)
    expect(understood, 'parts that are understood').toBe(shown.length)
    for (const { file, name } of tests) {
      const path = new URL(file, PACKAGES)
      expect(existsSync(path), `${file} exists`).toBe(true)
      expect(hasTest(readFileSync(path, 'utf8'), name), `${file} has “${name}”`).toBe(true)
      const own = /^(\d+(?:, \d+)*): /.exec(name)?.[1]?.split(', ')
      expect(own, `“${name}” is named after ${number}`).toContain(String(number))
    }
  },
)
