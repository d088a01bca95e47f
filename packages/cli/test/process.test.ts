import { spawn, spawnSync } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { open } from '@firn/engine'
import { expect, test, vi } from 'vitest'
import { makeConsole } from './console.js'

const console = makeConsole()
// Starting processes takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

function start(args: string[]) {
  const { NO_COLOR, FORCE_COLOR, FIRN_DB, ...env } = process.env
  return spawn(process.execPath, [main, ...args], { cwd: console.directory, env })
}

/** A real process: what it printed, and how it ended. */
async function firn(args: string[], stdin?: string) {
  const child = start(args)
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text))
  child.stdin.end(stdin)
  const status = await ended(child)
  return { status, out, err }
}

function ended(child: ReturnType<typeof start>): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
}

const rows = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, i) => `{"id":"${String(from + i).padStart(6, '0')}"}\n`,
  ).join('')

test('exit status and streams are those of a good citizen', async () => {
  expect(await firn(['put', 'k', 'v'])).toMatchObject({ status: 0, err: '' })
  expect(await firn(['get', 'k'])).toEqual({ status: 0, out: 'v\n', err: '' })
  expect(await firn(['get', 'missing'])).toMatchObject({ status: 1, out: '' })
  expect(await firn(['nope'])).toMatchObject({ status: 2, out: '' })
  expect(await firn([])).toMatchObject({ status: 2, out: '' })
  expect(await firn(['put', 'piped'], 'from stdin')).toMatchObject({ status: 0 })
  expect(await firn(['get', 'piped', '--raw'])).toEqual({ status: 0, out: 'from stdin', err: '' })
})

test('firn compact says what it did, though a compaction had begun by itself', async () => {
  const db = await open(`file:${console.directory}/firn_data`, {
    compaction: 'off',
    memtableBytes: 4096,
    tuning: { level0Stop: 1000, level0Slowdown: 1000 },
  })
  const table = db.table('default', { keys: 'utf8', values: 'utf8' })
  // More runs than writes may go on with: the next one to open it begins at once.
  for (let i = 0; i < 400; i++) await table.put(`k${i % 8}`, 'x'.repeat(500))
  await db.close()
  expect(await firn(['compact'])).toEqual({
    status: 0,
    out: expect.stringMatching(
      /^\d+ compactions? of \d+ files? to \d+: .+ read, .+ written \(.+\)\n$/,
    ),
    err: '',
  })
})

test('firn scan | head ends quietly', async () => {
  await firn(['load', '-', '--key', 'id'], rows(0, 50_000))
  for (const command of ['scan', 'dump']) {
    const child = start([command])
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (err += text))
    const status = ended(child)
    const lines = createInterface({ input: child.stdout })
    for await (const line of lines) {
      expect(line).toContain('000000')
      break
    }
    child.stdout.destroy()
    expect(await status).toBe(0)
    expect(err).toBe('')
  }
})

test('Ctrl-C during a load keeps what was read and says how much', async () => {
  const child = start(['load', '-', '--key', 'id', '--json'])
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text))
  // Only a process that reads takes more than a pipe holds: by then it listens to the signal.
  await new Promise((resolve) => child.stdin.write(rows(0, 60_000), resolve))
  child.kill('SIGINT')
  expect(await ended(child)).toBe(130)
  const { records, interrupted } = JSON.parse(out)
  expect(interrupted).toBe(true)
  expect(err).toContain('interrupted; what is loaded so far is kept')
  const tables = await firn(['tables', '--count', '--json'])
  expect(records === 0 ? 0 : JSON.parse(tables.out)[0].count).toBe(records)
  expect((await firn(['verify'])).status).toBe(0)
})

test.skipIf(process.platform === 'win32')('the entry point can be run by itself', async () => {
  const { chmod, readFile } = await import('node:fs/promises')
  expect((await readFile(main, 'utf8')).startsWith('#!/usr/bin/env node\n')).toBe(true)
  await chmod(main, 0o755)
  await access(main, constants.X_OK)
  const child = spawn(main, ['--version'])
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
})

test('a ~ that no shell replaced makes no directory', async () => {
  for (const args of [
    ['--path', '~/x'],
    ['--db', 'file:~/x'],
    ['--db', 'file:~'],
  ]) {
    const { status, out, err } = await firn(['put', 'k', 'v', ...args])
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toContain('write the path out')
    expect(err).not.toContain('homedir')
  }
  expect(await firn(['sst', 'info', '~/x.sst'])).toMatchObject({ status: 2 })
  expect(await firn(['load', '~/x.csv'])).toMatchObject({ status: 2 })
  expect(await readdir(console.directory)).toEqual([])
})

test('a working directory that is gone is an error of one line, or none with absolute paths', async () => {
  const gone = await mkdtemp(join(console.directory, 'gone-'))
  const database = join(console.directory, 'kept')
  const shell = (command: string) =>
    spawnSync('sh', ['-c', `rmdir "$PWD"; "$0" "$1" ${command}`, process.execPath, main], {
      cwd: gone,
      encoding: 'utf8',
    })
  const { status, stderr } = shell('put k v')
  expect({ status, stderr: stderr.split('\n').length }).toEqual({ status: 2, stderr: 2 })
  expect(stderr).toContain('the working directory no longer exists')
  await mkdir(gone)
  expect(shell(`put k v --path '${database}'`)).toMatchObject({ status: 0 })
})
