import { execFile } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { nameOf } from '../src/internal/fs/file-names.js'
import { tempDirectory } from './temp-directory.js'

const home = fileURLToPath(new URL('..', import.meta.url))

test('runs the example of the README', async () => {
  const readme = await fs.readFile(path.join(home, 'README.md'), 'utf8')
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const directory = await tempDirectory()
  const program = example
    .replace("'@firn/object-store'", `'${pathToFileURL(path.join(home, 'dist/index.js'))}'`)
    .replace("'@firn/object-store/fs'", `'${pathToFileURL(path.join(home, 'dist/fs.js'))}'`)
  await fs.writeFile(path.join(directory, 'example.mjs'), program)
  const run = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: directory })
  expect(run.stdout).toBe('world 12\nlogs/1\n4\n')
})

test('agrees with the table in FORMAT.md', async () => {
  const format = await fs.readFile(path.join(home, 'FORMAT.md'), 'utf8')
  const rows = [...format.matchAll(/^\| `(.+)` \| (file|directory) \| (?:`(.+)`|the same) \|$/gm)]
  expect(rows.length).toBe(17)
  for (const [, segment = '', kind, name = segment] of rows) {
    expect(nameOf(segment, kind === 'file' ? 'file' : 'directory')).toBe(name)
  }
})
