import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('runs the example of the README, with what was built', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  // Said in the comments of the example, line by line.
  const said = [...example.matchAll(/\/\/ → (.*)/g)].map(([, text]) => text)
  const args = ['--input-type=module', '-e', example]
  const run = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
  expect(said.length).toBeGreaterThan(0)
  expect(run.stdout.trimEnd().split('\n')).toEqual(said)
})
