import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { makeConsole } from './console.js'

const console = makeConsole()
vi.setConfig({ testTimeout: 60_000 })
const database = () => join(console.directory, 'firn_data')
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Keeps the database open, with a row that only its memory and log have. Ends at a line. */
async function holder(): Promise<ChildProcess> {
  const source = `
    import { open } from ${JSON.stringify(import.meta.resolve('@firn/engine'))}
    const db = await open(${JSON.stringify(pathToFileURL(database()).href)})
    const table = db.table('default', { keys: 'utf8', values: 'utf8' })
    await table.put('mine', 'before')
    process.stdout.write('held')
    for await (const _ of process.stdin) break
    await table.put('mine', 'after')
    await db.close()
  `
  const args = ['--input-type=module', '--eval', source]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

/** A command, by way of other programs. */
function firn(through: readonly string[], ...args: string[]) {
  const { NO_COLOR, FORCE_COLOR, FIRN_DB, ...env } = process.env
  const [command = '', ...rest] = [...through, process.execPath, main, ...args]
  const { status, stdout, stderr } = spawnSync(command, rest, {
    cwd: console.directory,
    env,
    encoding: 'utf8',
  })
  return { status, out: stdout, err: stderr }
}

const UNSHARE = ['unshare', '-p', '-f', '--mount-proc']
const UNSHARE_AS_USER = ['unshare', '-U', '-r', '-p', '-f', '--mount-proc']

function isPermitted([command = '', ...args]: readonly string[]): boolean {
  return spawnSync(command, [...args, 'true']).status === 0
}

/** As if the holder ran in another container and on another boot; permitted everywhere. */
function forge(): void {
  const name = readdirSync(database()).find((name) => /^LOCK-\d+$/.test(name)) ?? ''
  const file = join(database(), name)
  const record = JSON.parse(readFileSync(file, 'utf8'))
  Object.assign(record.owner, { bootId: 'other', pidNamespace: 'pid:[1]' })
  writeFileSync(file, JSON.stringify(record))
}

const namespace = [UNSHARE, UNSHARE_AS_USER].find(isPermitted)
const WAYS = [
  { name: 'that seems to be in another container', through: [], prepare: forge },
  ...(namespace === undefined
    ? []
    : [{ name: 'in another container', through: namespace, prepare: () => {} }]),
]

test.each(WAYS)('33: commands $name leave a database alone that is open', async (way) => {
  const child = await holder()
  way.prepare()
  for (const args of [['put', 'k', 'v'], ['compact']]) {
    const { status, out, err } = firn(way.through, ...args)
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toContain(`is open for writing in process ${child.pid} on host`)
  }
  expect(firn(way.through, 'get', 'mine')).toMatchObject({ status: 0, out: 'before\n' })
  expect(firn(way.through, 'verify')).toMatchObject({ status: 0 })
  child.stdin?.write('\n')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(firn([], 'get', 'mine')).toMatchObject({ status: 0, out: 'after\n' })
  expect(firn(way.through, 'put', 'k', 'v')).toMatchObject({ status: 0 })
  expect(firn([], 'verify')).toMatchObject({ status: 0 })
})

test('33: commands in another container open a database after a killed process', async () => {
  const child = await holder()
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
  expect(firn(namespace ?? [], 'put', 'k', 'v')).toMatchObject({ status: 0, err: '' })
  expect(firn([], 'get', 'mine')).toMatchObject({ status: 0, out: 'before\n' })
})
