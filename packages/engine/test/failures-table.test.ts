import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SIMULATED } from './support/simulated-failures.js'

// FAILURES.md is written by hand. FAILURES-TESTS.md is made of its rows, of the tests whose names
// begin with a row’s number, and of `simulated-failures.ts`: `npx vitest run failures-table -u`.

const PACKAGES = new URL('../../', import.meta.url)
const NUMBERS = 43

interface Row {
  number: number
  scenario: string
  outcome: string
}

const rows: Row[] = read('engine/FAILURES.md')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => {
    const [number, scenario = '', outcome = ''] = line.slice(2, -2).split(' | ')
    return { number: Number(number), scenario, outcome }
  })

/** A test, a group of tests, or a row of a table of tests, with the rows that it shows. */
interface NumberedTest {
  file: string
  name: string
  numbers: number[]
}

const tests: NumberedTest[] = testFiles().flatMap((file) =>
  [...read(file).matchAll(/(?:^\s*|[([]\s*)(['"`])((\d+(?:, \d+)*): .+)\1,/gm)].map(
    ([, , text = '', numbers = '']) => ({
      file,
      name: text.slice(numbers.length + 2),
      numbers: numbers.split(', ').map(Number),
    }),
  ),
)

/** What goes wrong in the simulation, and what clients do there: as its source names them. */
const simulated: ReadonlySet<string> = new Set(
  [
    'faults.ts',
    'disk/disk-faults.ts',
    'disk/file-damage.ts',
    'chaos.ts',
    ...filesIn('simulation/src/operations').map((file) => `operations/${file}`),
  ].flatMap((file) =>
    [...read(`simulation/src/${file}`).matchAll(/'([A-Za-z][A-Za-z -]*)'/g)].map(
      ([, name = '']) => name,
    ),
  ),
)

function read(file: string): string {
  return readFileSync(new URL(file, PACKAGES), 'utf8')
}

/** The files in a folder and in those below it, in order. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(new URL(`${folder}/`, PACKAGES), { withFileTypes: true })
  return entries
    .flatMap((entry) =>
      entry.isDirectory()
        ? filesIn(`${folder}/${entry.name}`).map((file) => `${entry.name}/${file}`)
        : [entry.name],
    )
    .sort()
}

/** Tests, and conformance suites, which run against every implementation. */
function testFiles(): string[] {
  return readdirSync(PACKAGES)
    .flatMap((name) => ['test', 'src'].map((folder) => `${name}/${folder}`))
    .filter((folder) => folder !== 'test-support/test')
    .flatMap((folder) => filesIn(folder).map((file) => `${folder}/${file}`))
    .filter((file) => file.endsWith('.test.ts') || file.includes('/conformance/'))
    .sort()
}

function section({ number, scenario }: Row): string {
  const shown = tests
    .filter(({ numbers }) => numbers.includes(number))
    .map(({ file, name }) => `- \`${file}\`: \`${name}\``)
  const inSimulation = SIMULATED[number] ?? []
  const last =
    typeof inSimulation === 'string'
      ? `Not simulated: ${inSimulation}.`
      : `Simulated: ${inSimulation.map((name) => `\`${name}\``).join(', ')}.`
  const paragraphs = [`## ${number}. ${scenario.replace(/\.$/, '')}`, shown.join('\n'), last]
  return `${paragraphs.filter((text) => text !== '').join('\n\n')}\n`
}

test('there is one row for each number, in order, and no other', () => {
  const numbers = Array.from({ length: NUMBERS }, (_, i) => i + 1)
  expect(rows.map(({ number }) => number)).toEqual(numbers)
})

test.each(rows)('$number: is shown by a test, or says what is not there yet', (row) => {
  const isShown = tests.some(({ numbers }) => numbers.includes(row.number))
  expect(isShown || row.outcome.includes('Not yet: ')).toBe(true)
})

test.each(rows)('$number: says what of the simulation it is met in', ({ number }) => {
  expect(SIMULATED[number]).toBeDefined()
  const names = SIMULATED[number] ?? []
  for (const name of typeof names === 'string' ? [] : names) {
    expect(simulated.has(name), `${name} is a fault or an operation of the simulation`).toBe(true)
  }
})

test('no test has the number of a row that does not exist', () => {
  expect(tests.filter(({ numbers }) => numbers.some((n) => n < 1 || n > NUMBERS))).toEqual([])
})

test('FAILURES-TESTS.md lists the tests that there are', async () => {
  const text = `# Which tests show what Firn survives

Made from [FAILURES.md](FAILURES.md) and the names of tests: \`npx vitest run failures-table -u\` in
this package writes it anew. Paths begin in \`packages/\`. Tests below \`internal/conformance\` run
against every implementation: memory, files, S3 and DynamoDB. \`Simulated\` names the faults that
happen in the runs of \`@firn/simulation\`, and what clients do there.

${rows.map(section).join('\n')}`
  await expect(text).toMatchFileSnapshot('../FAILURES-TESTS.md')
})
