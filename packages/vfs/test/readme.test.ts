import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { tempDirectory } from './temp-directory.js'

test('the example of the README runs and prints what its comments say', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const expected = [...example.matchAll(/^console\.log.*\/\/ (.*)$/gm)].map(([, said]) => said)
  expect(expected.length).toBeGreaterThan(0)
  const source = example.replace("'@firn/vfs'", JSON.stringify(import.meta.resolve('@firn/vfs')))
  const args = ['--input-type=module', '--eval', source]
  const printed = execFileSync(process.execPath, args, { cwd: tempDirectory(), encoding: 'utf8' })
  expect(printed.trimEnd().split('\n')).toEqual(expected)
})
