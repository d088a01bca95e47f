import { expect, test } from 'vitest'
import { lifeOf, parseIdentity, thisProcess } from '../src/internal/fs/process-identity.js'

const NOBODY = 2 ** 22 + 1
const here = { machine: 'aaaaaaaaaaaa', pid: process.pid, started: '7' }

test('takes a process for dead only on its own machine and in its own container', () => {
  expect(lifeOf({ ...here, pid: NOBODY }, here)).toBe('dead')
  expect(lifeOf({ ...here, machine: 'bbbbbbbbbbbb', pid: NOBODY }, here)).toBe('unknown')
})

test('takes nobody for dead if it can’t read its own boot or container', () => {
  const blind = { ...here, machine: '000000000000' }
  expect(lifeOf({ ...blind, pid: NOBODY }, blind)).toBe('unknown')
  expect(lifeOf(blind, blind)).toBe('unknown')
})

test('takes a process whose start is not known for the one of its number', () => {
  expect(lifeOf({ ...thisProcess(), started: '0' })).toBe('alive')
  expect(parseIdentity(`${here.machine}.${here.pid}.0`)).toEqual({ ...here, started: '0' })
})
