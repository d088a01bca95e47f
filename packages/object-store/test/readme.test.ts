import fs from 'node:fs/promises'
import { checkReadme } from '@firn/test-support'
import { expect, test } from 'vitest'
import { nameOf } from '../src/internal/fs/file-names.js'

test('the example of the README runs and prints what its comments say', async () => {
  await checkReadme(import.meta.dirname)
})

test('agrees with the table in FORMAT.md', async () => {
  const format = await fs.readFile(new URL('../FORMAT.md', import.meta.url), 'utf8')
  const rows = [...format.matchAll(/^\| `(.+)` \| (file|directory) \| (?:`(.+)`|the same) \|$/gm)]
  expect(rows.length).toBe(17)
  for (const [, segment = '', kind, name = segment] of rows) {
    expect(nameOf(segment, kind === 'file' ? 'file' : 'directory')).toBe(name)
  }
})
