import { readFile, writeFile } from 'node:fs/promises'
import { checkReadme } from '@firn/test-support'
import { expect, test } from 'vitest'
import { makeConsole } from './console.js'

const console = makeConsole()

async function shellBlocks(): Promise<string[]> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  return [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
}

/** The words of a line as a shell has them: enough for quotes, not for more. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
}

/** Runs a line of commands with pipes between them; `printf '%s\n'` is the one that isn't firn. */
async function shell(line: string): Promise<string> {
  let stdin: string | undefined
  for (const command of line.split(' | ')) {
    const [name, ...args] = words(command)
    if (name === 'printf') stdin = `${args.slice(1).join('\n')}\n`
    else {
      expect(name).toBe('firn')
      stdin = await console.ok(args, stdin === undefined ? {} : { stdin })
    }
  }
  return stdin ?? ''
}

test('the lines of the README run, and say what they should', async () => {
  await writeFile(console.path('cities.csv'), 'name,pop\nBerlin,3600000\nUlm,120000\nBonn,330000\n')
  const said = new Map<string, string>()
  for (const block of await shellBlocks()) {
    for (const line of block.trim().split('\n')) said.set(line, await shell(line))
  }
  expect(said.get('firn get greeting')).toBe('hello\n')
  expect(said.get('firn get greeting --at 2')).toBe('hello\n')
  expect(said.get('firn get Ulm --table cities')).toBe('{"name":"Ulm","pop":"120000"}\n')
  expect(said.get('firn scan --table cities --prefix B --limit 5')).toMatch(
    /^Berlin\t.*\nBonn\t.*\n$/,
  )
  expect(said.get('firn verify --path ./copy')).toMatch(/^whole/)
  expect(said.get('firn get b --table towns')).toBe('{"id":"b","pop":2}\n')
})

test('the program of the README runs and prints what its comments say', async () => {
  await checkReadme(import.meta.dirname)
})

test('the README names every command', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const help = await console.ok(['--help'])
  for (const [, names = ''] of help.matchAll(/^ {2}([a-z|]+)(?= [[<]| {2,})/gm)) {
    for (const name of names.split('|').filter((name) => name !== 'help')) {
      expect(readme).toContain(`\`${name}`)
    }
  }
})
