import fs from 'node:fs'
import path from 'node:path'
import { tempDirectory } from '@firn/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { pinDirectory } from '../src/pinned-directory.js'

function pinned(): { at: string; pin: ReturnType<typeof pinDirectory> } {
  const at = path.join(tempDirectory(), 'a')
  fs.mkdirSync(at)
  const pin = pinDirectory(at)
  onTestFinished(() => pin.release())
  return { at, pin }
}

test('knows a directory that stays where it is, by any of its paths', () => {
  const { at, pin } = pinned()
  fs.writeFileSync(path.join(at, 'file'), '')
  expect(pin.isInPlace()).toBe(true)
  const other = pinDirectory(path.join(at, '..', 'a'))
  expect(other.id).toBe(pin.id)
  other.release()
  other.release()
})

test('sees a directory that was renamed, and finds it', () => {
  const { at, pin } = pinned()
  fs.writeFileSync(path.join(at, 'file'), '')
  fs.renameSync(at, `${at}2`)
  expect(pin.isInPlace()).toBe(false)
  const now = pin.currentPath()
  if (process.platform === 'linux') expect(fs.readdirSync(now as string)).toEqual(['file'])
  fs.renameSync(`${at}2`, at)
  expect(pin.isInPlace()).toBe(true)
})

test('takes no other directory for one that was removed, however often names are used again', () => {
  const { at, pin } = pinned()
  for (let i = 0; i < 100; i++) {
    fs.rmdirSync(at)
    expect(pin.isInPlace()).toBe(false)
    fs.mkdirSync(at)
    expect(pin.isInPlace()).toBe(false)
  }
})

test('sees that a symbolic link leads elsewhere', () => {
  const top = tempDirectory()
  for (const name of ['a', 'b']) fs.mkdirSync(path.join(top, name))
  const link = path.join(top, 'current')
  fs.symlinkSync('a', link)
  const pin = pinDirectory(link)
  expect(pin.isInPlace()).toBe(true)
  fs.unlinkSync(link)
  fs.symlinkSync('b', link)
  expect(pin.isInPlace()).toBe(false)
  pin.release()
  expect(() => pinDirectory(path.join(top, 'none'))).toThrow('ENOENT')
})
