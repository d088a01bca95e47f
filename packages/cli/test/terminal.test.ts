import { mkdir, writeFile } from 'node:fs/promises'
import { open } from '@firn/engine'
import { expect, test } from 'vitest'
import { makeConsole, type Ran, type RunOptions } from './console.js'

const console = makeConsole()

/** Clears a screen, rings, turns text around, and breaks lines: each in several ways. */
const HOSTILE = '\u001b[2J\u0007\u009b31m\u202e\u2066\u200e\ufeff\u2028\u007f\u0085'
const ACTED_ON = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** Runs a command line that has all of that in it, for people. Nothing of it may come out. */
async function shown(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await console.firn(args, { ...options, env: { NO_COLOR: '1', ...options.env } })
  expect({ args, out: ACTED_ON.exec(ran.out)?.[0] }).toEqual({ args, out: undefined })
  expect({ args, err: ACTED_ON.exec(ran.err)?.[0] }).toEqual({ args, err: undefined })
  return ran
}

test('names of columns reach a terminal with escapes', async () => {
  const load = ['load', '-', '--format', 'csv']
  for (const stdin of [
    `id,a${HOSTILE}b\n1,2\n`,
    `id,${HOSTILE},${HOSTILE}\n1,2,3\n`,
    `${HOSTILE},id\n1\n`,
    `"x${HOSTILE}"\n`,
  ]) {
    expect((await shown([...load, '--key', 'nope'], { stdin })).status).toBe(2)
    await shown(load, { stdin })
    await shown([...load, '--json'], { stdin })
    await shown([...load, '--key', 'id', '--skip-bad'], { stdin })
  }
})

test('what is typed and what files are called comes back with escapes', async () => {
  const name = HOSTILE.replaceAll('/', '')
  await mkdir(console.path(name))
  await writeFile(console.path(`${name}.csv`), 'id\n\n\n')
  await writeFile(console.path(`${name}.sst`), 'no sst')
  await console.ok(['put', 'k', 'v'])
  for (const args of [
    [name],
    ['help', name],
    ['get', 'k', name],
    ['get', `--${name}`],
    ['get', `-${name}`],
    ['get', name],
    ['get', 'k', '--at', name],
    ['get', 'k', '--table', name],
    ['put', 'k', 'v', '--table', name],
    ['put', name, 'v', '--keys', name],
    ['get', 'k', '--path', name],
    ['get', 'k', '--db', name],
    ['get', 'k', '--db', `foo:${name}`],
    ['get', 'k', '--db', `file:${name}?log=${name}`],
    ['scan', '--limit', name],
    ['scan', '--from', name],
    ['load', name],
    ['load', `${name}.jsonl`],
    ['load', `${name}.csv`, '--key', name],
    ['load', `${name}.csv`, '--key', 'id'],
    ['load', '-', '--format', name],
    ['load', '-', '--delimiter', name],
    ['sst', 'stats', `${name}.sst`],
    ['sst', 'verify', `${name}.sst`],
    ['sst', 'dump', name],
    ['verify', '--path', name],
    ['log', '--path', name],
  ]) {
    await shown(args)
    await shown([...args, '--json'])
    await shown(args, { env: { FIRN_DEBUG: '1' } })
  }
})

test('what is stored reaches a terminal with escapes, as JSON too', async () => {
  const db = await open(`file:${console.path('firn_data')}`)
  const own = { name: `own${HOSTILE}`, encode: (b: Uint8Array) => b, decode: (b: Uint8Array) => b }
  const text = new TextEncoder().encode(`a${HOSTILE}b`)
  await db.table('t', { keys: own, values: own }).put(text, text)
  await db.table('u', { keys: 'tuple', values: 'json' }).put([HOSTILE], { [HOSTILE]: HOSTILE })
  await db.compact()
  await db.close()
  const terminal = { columns: 100 }
  for (const json of [[], ['--json']]) {
    for (const table of ['t', 'u']) {
      await shown(['scan', '--table', table, ...json], terminal)
      await shown(['scan', '--keys-only', '--table', table, ...json], terminal)
    }
    await shown(['get', `a${HOSTILE}b`, '--table', 't', ...json], terminal)
    await shown(['tables', ...json], terminal)
    await shown(['log', ...json], terminal)
    await shown(['dump', ...json], terminal)
    await shown(['stats', ...json], terminal)
  }
  expect(JSON.parse((await shown(['scan', '--table', 't', '--json'], terminal)).out)).toEqual({
    key: `a${HOSTILE}b`,
    value: `a${HOSTILE}b`,
  })
  // A program in a pipe gets what is stored.
  expect(await console.ok(['get', `a${HOSTILE}b`, '--table', 't'])).toBe(`a${HOSTILE}b\n`)
})
