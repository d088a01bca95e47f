import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemEnv } from '@firn/env'
import { tempDirectory } from '@firn/test-support'
import { beforeEach, describe, expect, test } from 'vitest'
import { readCities } from '../src/dataset.js'
import { runDemo } from '../src/demo.js'
import { Terminal } from '../src/terminal.js'
import { duration, moment, perSecond } from '../src/units.js'

const run = promisify(execFile)
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

let base = ''
beforeEach(() => {
  base = tempDirectory()
})

describe('the data set', () => {
  test('has more than 100,000 cities, and no two keys alike', async () => {
    const cities = await readCities()
    expect(cities.length).toBe(135_233)
    expect(new Set(cities.map((city) => city.id)).size).toBe(cities.length)
    expect(cities.every((city) => city.country !== '' && city.name !== '')).toBe(true)
  }, 600_000)
})

describe('the tour', () => {
  test('tells the truth about a few countries', async () => {
    const few = new Set(['IS', 'CH', 'JP'])
    const cities = (await readCities()).filter((city) => few.has(city.country))
    const { text, stats } = await tour(cities)

    expect(text).toContain(`${cities.length.toLocaleString('en')} cities as `)
    expect(text).toContain('33 cities begin with ["IS"]')
    expect(text).toMatch(/\["IS","Reykjavík",3413829\] +118,918 inhabitants/)
    expect(text).toMatch(/\["AQ","Atlantis",1\] +not found/)
    const biggest = [...cities].sort((a, b) => b.facts.population - a.facts.population)[0]
    expect(biggest?.name).toBe('Tokyo')
    expect(text).toMatch(/inhabitants\n +8,336,599 {2}JP {2}Tokyo\n/)
    const people = cities.reduce((sum, city) => sum + city.facts.population, 0)
    expect(text).toContain(`have ${people.toLocaleString('en')} inhabitants together`)

    // Once after the change, once after reopening: the present, and the past in two ways.
    const total = cities.length.toLocaleString('en')
    const left = (cities.length - 1).toLocaleString('en')
    expect(text.match(/now, version .*/g)?.map(columns)).toEqual(
      Array.from({ length: 2 }, () => ['138,772', '–', left, left]),
    )
    expect(text.match(/at (?:version|\d{4}-).*(?:version)?.*/g)?.map(columns)).toEqual(
      Array.from({ length: 4 }, () => ['118,918', '0', total, total]),
    )
    expect(stats.tables.map((table) => table.name)).toEqual(['cities', 'ranking'])
  }, 600_000)

  test('fails where a city that it changes is missing', async () => {
    const cities = (await readCities()).filter((city) => city.country === 'LI')
    await expect(tour(cities)).rejects.toThrow('There is no Reykjavík')
  }, 600_000)
})

describe('the program', () => {
  test('runs twice in a row and leaves nothing behind', async () => {
    for (let i = 0; i < 2; i++) {
      const { stdout, stderr } = await run(process.execPath, [MAIN], {
        env: { ...process.env, TMPDIR: base },
      })
      expect(stderr).toBe('')
      expect(stdout).toContain('135,233 cities as 270,466 records in 2 tables')
      expect(stdout).toContain('The shape of the tree')
      expect(stdout).not.toContain('\u001b')
      expect(await readdir(base)).toEqual([])
    }
  }, 600_000)

  test('does not touch a directory that holds something', async () => {
    await mkdir(join(base, 'mine'))
    await writeFile(join(base, 'mine', 'letter.txt'), 'dear')
    const failure = await run(process.execPath, [MAIN, '--directory', join(base, 'mine')]).catch(
      (error: unknown) => error as { code: number; stderr: string },
    )
    expect(failure).toMatchObject({ code: 1 })
    expect(failure.stderr).toContain('is not empty')
    expect(await readdir(join(base, 'mine'))).toEqual(['letter.txt'])
  })

  test('explains wrong usage', async () => {
    const failure = await run(process.execPath, [MAIN, '--dir', 'x']).catch(
      (error: unknown) => error as { code: number; stderr: string },
    )
    expect(failure).toMatchObject({ code: 2 })
    expect(failure.stderr).toContain('Usage:')
  })
})

describe('units', () => {
  test('reads well', () => {
    expect(duration(1234)).toBe('1.2 s')
    expect(duration(34.4)).toBe('34 ms')
    expect(duration(0.123)).toBe('0.12 ms')
    expect(perSecond(270_466, 1500)).toBe('180,000 per second')
    expect(moment(1_700_000_000_123_456)).toBe('2023-11-14 22:13:20.123 UTC')
  })
})

async function tour(
  cities: Awaited<ReturnType<typeof readCities>>,
): Promise<{ text: string; stats: Awaited<ReturnType<typeof runDemo>> }> {
  let text = ''
  const sink = {
    write(part: string): void {
      text += part
    },
  }
  const out = new Terminal(sink, systemEnv)
  const directory = join(base, 'db')
  const stats = await runDemo({ cities, directory, env: systemEnv, out })
  return { text, stats }
}

/** The columns of a line of the table that looks back, without the first. */
function columns(line: string): string[] {
  return line.trim().split(/ {2,}/).slice(1)
}
