import { readFileSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { open } from '../src/index.js'
import { temporaryDirectory } from './support/locations.js'

test('the example of the README runs and prints what it says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  expect(example).toContain("import { open } from '@firn/engine'")
  const directory = temporaryDirectory()
  const printed: unknown[][] = []
  try {
    const body = example
      .replace(/^import .*$/m, '')
      .replace("'file:./data'", JSON.stringify(`file:${directory}`))
    const AsyncFunction = (async () => {}).constructor as new (
      ...args: string[]
    ) => (...args: unknown[]) => Promise<void>
    await new AsyncFunction('open', 'console', body)(open, {
      log: (...args: unknown[]) => printed.push(args),
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  expect(printed).toEqual([
    [{ name: 'Ada King', born: 1815 }],
    [{ name: 'Ada Lovelace', born: 1815 }],
    [[1815, 'ada'], 'ada'],
  ])
})
