import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the example of the README runs and prints what its comments say', async () => {
  const directory = fileURLToPath(new URL('..', import.meta.url))
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const expected = [...example.matchAll(/^console\.log.*\/\/ (.*)$/gm)].map(([, said]) => said)
  expect(expected.length).toBeGreaterThan(0)
  const args = ['--input-type=module', '--eval', example]
  const printed = execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  expect(printed.trimEnd().split('\n')).toEqual(expected)
})
