import { CommitUnknownError } from '@firn/commit-log'
import { open, VersionNotFoundError, WriteStoppedError } from '@firn/engine'
import { FirnError } from '@firn/env'
import { expect, test } from 'vitest'
import { describeFailure } from '../src/failure.js'
import { makeConsole } from './console.js'

const console = makeConsole()
const firn = console.firn.bind(console)
const ok = console.ok.bind(console)

/** What only a program can follow. */
const API = /\w\((?:\)|\{)|\bdb\.|createIfMissing|\bmode\b|resolveCommit|\{ \w|Date\b/

test('moments beyond all time are the newest and the oldest there is', async () => {
  await ok(['put', 'k', 'v'])
  for (const at of ['9999-12-31', '9999-12-31T23:59:59.999999Z', '2255-06-06']) {
    expect(await ok(['get', 'k', '--at', at])).toBe('v\n')
    expect(await ok(['scan', '--at', at])).toBe('k\tv\n')
  }
  for (const at of ['0000-01-01', '1960-01-01', '999999999d']) {
    const { status, err } = await firn(['get', 'k', '--at', at])
    expect(status).toBe(1)
    expect(err).toContain('no such key in table "default" of ./firn_data at that moment')
  }
})

test('a value that looks like an option gets the hint that helps', async () => {
  for (const args of [
    ['put', 'weight', '-5kg'],
    ['put', '--5', 'x'],
    ['get', '-x1'],
    ['delete', '-k'],
  ]) {
    const { status, err } = await firn(args)
    expect(status).toBe(2)
    expect(err).toContain(
      'put a key or a value that begins with - after --, as in firn put -- <key> <value>',
    )
  }
  await ok(['put', '--', 'weight', '-5kg'])
  expect(await ok(['get', 'weight'])).toBe('-5kg\n')
})

test('advice is of commands, not of calls', async () => {
  await ok(['put', 'k', 'v'])
  const other = await open(`file:${console.path('firn_data')}`)
  const failures = [
    await firn(['put', 'k', 'v2']),
    await firn(['get', 'k', '--at', '99']),
    await firn(['put', 'k', 'v', '--keys', 'tuple']),
    await firn(['get', 'k', '--db', 'nowhere']),
    await firn(['get', 'k', '--db', 'ftp://x']),
    await firn(['get', 'k', '--db', 'file:./x?log=y']),
    await firn(['verify', '--db', 'memory:x']),
    await firn(['delete', 'k', '--path', 'missing']),
    await firn(['load', '-'], {
      stdin: '{"table":"t","options":{"history":"sometimes"},"key":"a","value":1}',
    }),
  ]
  await other.close()
  for (const { status, err } of failures) {
    expect(status).toBeGreaterThan(0)
    expect(err).not.toMatch(API)
  }
  expect(failures[0]?.err).toMatch(/close it there first; commands that only read still work\n$/)
  expect(failures[1]?.err).toContain('the newest is 2; `firn log` lists the versions')
  expect(failures[4]?.err).toContain("'s3://bucket/prefix?log=objects'")
  for (const error of [
    new VersionNotFoundError(9, 2),
    new WriteStoppedError(new Error('the cable is out')),
    new WriteStoppedError(new FirnError('FIRN_LOG_FAILED', 'the disk is full; make room')),
    new CommitUnknownError({ version: 7, token: 'T' }),
  ]) {
    expect(describeFailure(error).message).not.toMatch(API)
  }
})
