import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { tempDirectory } from '@firn/test-support'
import { expect, test } from 'vitest'
import { absolutePath } from '../src/absolute-path.js'

const invalid = expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' })

test('means the working directory of the call', () => {
  expect(absolutePath('./a/../b/', 'it')).toBe(path.join(process.cwd(), 'b'))
  expect(absolutePath('a', 'it', path.resolve('/x'))).toBe(path.resolve('/x/a'))
  expect(absolutePath(path.resolve('/x/'), 'it')).toBe(path.resolve('/x'))
})

test('refuses what is no path', () => {
  for (const wrong of ['', 'a\0b', undefined, 7, null, new URL('file:///a')]) {
    expect(() => absolutePath(wrong as string, 'it')).toThrow(invalid)
  }
})

test('refuses a ~ that no shell replaced, and no other', () => {
  for (const wrong of ['~', '~/a', '~/']) {
    expect(() => absolutePath(wrong, 'it')).toThrow(/os\.homedir/)
  }
  for (const right of ['./~/a', '~a', 'a~', 'a/~/b']) {
    expect(absolutePath(right, 'it')).toBe(path.resolve(right))
  }
})

test('says so if the working directory is gone', () => {
  const program = path.join(tempDirectory(), 'program.mjs')
  fs.writeFileSync(
    program,
    `import { absolutePath } from ${JSON.stringify(import.meta.resolve('../dist/index.js'))}
    console.log(absolutePath('/a', 'it'))
    try { absolutePath('a', 'it') } catch (error) { console.log(error.code, error.message) }`,
  )
  const args = ['-c', 'rmdir "$PWD"; exec "$0" "$1"', process.execPath, program]
  const { stdout } = spawnSync('sh', args, { cwd: tempDirectory(), encoding: 'utf8' })
  expect(stdout).toMatch(/^\/a\nFIRN_INVALID_ARGUMENT it is a relative path.* is gone/)
})
