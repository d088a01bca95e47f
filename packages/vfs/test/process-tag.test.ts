import { expect, test } from 'vitest'
import { ownIdentity } from '../src/process-identity.js'
import { formatTag, livenessOfTag, parseTag, tagOf } from '../src/process-tag.js'

const NOBODY = 2 ** 22 + 1
const here = { machine: 'aaaaaaaaaaaa', pid: process.pid, started: '7' }

test('takes a process for dead only on its own machine and in its own container', () => {
  expect(livenessOfTag({ ...here, pid: NOBODY }, here)).toBe('dead')
  expect(livenessOfTag({ ...here, machine: 'bbbbbbbbbbbb', pid: NOBODY }, here)).toBe('unknown')
})

test('takes no process for dead if it can’t read its own boot or container', () => {
  const blind = { ...here, machine: '000000000000' }
  expect(livenessOfTag({ ...blind, pid: NOBODY }, blind)).toBe('unknown')
  expect(livenessOfTag(blind, blind)).toBe('unknown')
})

test('takes a process whose start is not known for the one of its number', () => {
  expect(livenessOfTag({ ...tagOf(ownIdentity()), started: '0' })).toBe('alive')
  expect(parseTag(`${here.machine}.${here.pid}.0`)).toEqual({ ...here, started: '0' })
})

test('is read back from a name', () => {
  const tag = tagOf(ownIdentity())
  expect(parseTag(formatTag(tag))).toEqual(tag)
  for (const text of ['', 'x.1.2', `${tag.machine}.1`, `${tag.machine}.-1.2`]) {
    expect(parseTag(text), text).toBeUndefined()
  }
})

test('is of no machine if a process can’t tell its own', () => {
  const blind = { ...ownIdentity(), platform: 'linux', bootId: '' }
  expect(tagOf(blind).machine).toBe('000000000000')
})
