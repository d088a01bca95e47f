import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { tempDirectory } from '../src/index.js'

test('a directory is empty, and goes with everything in it', () => {
  let remove = (): void => {}
  const directory = tempDirectory((removal) => {
    remove = removal
  })
  expect(fs.readdirSync(directory)).toEqual([])
  fs.mkdirSync(path.join(directory, 'a'))
  fs.writeFileSync(path.join(directory, 'a', 'b'), 'c')
  remove()
  expect(fs.existsSync(directory)).toBe(false)
})
