import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { tempDirectory } from './temp-directory.js'

const home = fileURLToPath(new URL('..', import.meta.url))

test('runs the example of the README', async () => {
  const readme = fs.readFileSync(path.join(home, 'README.md'), 'utf8')
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const directory = tempDirectory()
  const program = path.join(directory, 'example.mjs')
  const source = example.replace(/'(@firn\/[a-z/-]+)'/g, (_, name: string) =>
    JSON.stringify(import.meta.resolve(name)),
  )
  fs.writeFileSync(program, source)
  const run = await promisify(execFile)(process.execPath, [program], { cwd: directory })
  expect(run.stdout).toBe('1 true\n2 true\n2 robin\n')
})
