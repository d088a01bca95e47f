import { type SpawnOptions, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LONG } from '@firn/test-support'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { makeConsole } from './console.js'

const console = makeConsole()
// Starting processes takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Ended {
  status: number | NodeJS.Signals | null
  out: string
  err: string
}

/** Runs a real process, whose streams may be anything, to its end. */
function ended(file: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  const { NO_COLOR, FORCE_COLOR, FIRN_DB, ...env } = process.env
  const child = spawn(file, args, { cwd: console.directory, env, ...options })
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (err += text))
  child.stdin?.end()
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ status: code ?? signal, out, err })),
  )
}

const firn = (args: readonly string[], options?: SpawnOptions) =>
  ended(process.execPath, [main, ...args], options)

/** The first few; all of them in a long run. */
const few = <T>(all: readonly T[]): readonly T[] => (LONG ? all : all.slice(0, 4))

/** The status of the first command of a pipe, and what came out of the last. */
const shell = (line: string) => ended('bash', ['-c', `${line}; exit \${PIPESTATUS[0]}`])

const node = `'${process.execPath}' '${main}'`

/** A process whose readers of stdout, and of stderr as well, left before it began to write. */
async function unread(args: readonly string[], both: boolean): Promise<Ended['status']> {
  const child = spawn(process.execPath, [main, ...args], { cwd: console.directory })
  child.stdout.destroy()
  if (both) child.stderr.destroy()
  child.stdin.end()
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)))
}

async function damage(directory: string): Promise<void> {
  const files = await readdir(console.path(directory), { recursive: true })
  const [log = ''] = files.filter((name) => /log.*\d/.test(name))
  const path = join(console.path(directory), log)
  const bytes = await readFile(path)
  bytes.fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 16)
  await writeFile(path, bytes)
}

async function makeDatabase(directory: string): Promise<void> {
  await console.ok(['put', 'k', 'v', '--path', directory])
  for (const key of ['a', 'b', 'c'])
    await console.ok(['put', key, 'v'.repeat(500), '--path', directory])
}

describe.skipIf(process.platform === 'win32')('the exit status is the same, whoever reads', () => {
  beforeEach(async () => {
    await makeDatabase('whole')
    await makeDatabase('damaged')
    await damage('damaged')
    await writeFile(console.path('bad.jsonl'), '{"id":"a"}\nnope\n')
    await writeFile(console.path('bad.sst'), 'no sst')
  })

  test('of what fails, and of what is done', async () => {
    for (const [args, status] of few([
      [['verify', '--path', 'damaged'], 1],
      [['load', 'bad.jsonl', '--key', 'id', '--path', 'd'], 1],
      [[], 2],
      [['verify', '--path', 'whole'], 0],
      [['nope'], 2],
      [['put', 'k', 'v2', '--path', 'whole'], 0],
      [['sst', 'verify', 'bad.sst'], 1],
      [['verify', '--path', 'damaged', '--json'], 1],
      [['get', 'missing', '--path', 'whole'], 1],
      [['scan', '--path', 'missing'], 1],
      [['load', 'bad.jsonl', '--key', 'x', '--skip-bad', '--path', 'd'], 1],
      [['put', 'k', 'v', '--path', 'd', '--keys', 'nope'], 2],
      [['scan', '--path', 'whole'], 0],
      [['compact', '--path', 'whole'], 0],
      [['stats', '--path', 'whole'], 0],
      [['--help'], 0],
      [['load', 'bad.jsonl', '--key', 'id', '--skip-bad', '--path', 'd'], 0],
    ] as const)) {
      expect({ args, status: await unread(args, false) }).toEqual({ args, status })
      expect({ args, status: await unread(args, true) }).toEqual({ args, status })
    }
  })

  test('in a shell', async () => {
    for (const reader of few(['| true', '2>&1 | head -n 1', '2>&1 | true', '| head -c 1'])) {
      const line = `${node} verify --path damaged ${reader}`
      expect({ line, ...(await shell(line)) }).toMatchObject({ line, status: 1 })
    }
    expect((await shell(`${node} verify --path whole | true`)).status).toBe(0)
  })
})

describe.skipIf(!existsSync('/dev/full'))('stdout that takes nothing is a failure', () => {
  test('of every command that has something to say', async () => {
    await makeDatabase('whole')
    await writeFile(console.path('good.jsonl'), '{"id":"a"}\n')
    for (const args of few([
      ['scan'],
      ['verify'],
      ['load', 'good.jsonl', '--key', 'id'],
      ['put', 'k', 'v'],
      ['--help'],
      ['get', 'k'],
      ['get', 'k', '--raw'],
      ['dump'],
      ['tables'],
      ['log'],
      ['stats'],
      ['compact'],
      ['delete', 'k'],
      ['--version'],
    ])) {
      const full = openSync('/dev/full', 'w')
      const all = args[0]?.startsWith('-') === true ? args : [...args, '--path', 'whole']
      const { status, err } = await firn(all, { stdio: ['ignore', full, 'pipe'] })
      closeSync(full)
      expect({ args, status, err }).toEqual({
        args,
        status: 1,
        err: 'firn: write: no space is left on the device\n',
      })
    }
  })
})

/** A shell in which no file grows beyond so many KiB; a write that would is cut short there. */
const limited = (kib: number, line: string) =>
  ended('bash', ['-c', `trap '' XFSZ; ulimit -f ${kib}; ${line}`])

describe.skipIf(process.platform !== 'linux')('a disk that is full', () => {
  const rows = Array.from({ length: 3000 }, (_, i) => `{"id":"${i}","x":"${'y'.repeat(90)}"}\n`)

  test('a dump into a file that was cut short fails', async () => {
    await writeFile(console.path('rows.jsonl'), rows.slice(0, 1000).join(''))
    await console.ok(['load', 'rows.jsonl', '--key', 'id'])
    const { status, err } = await limited(100, `${node} dump > out.jsonl`)
    expect(err).toBe('firn: write: the file would become too large\n')
    expect(status).toBe(1)
  })

  test('a load says what kept it from writing, and what became of the rows', async () => {
    await writeFile(console.path('rows.jsonl'), rows.join(''))
    for (const [more, became] of [
      [[], 'some of the records may be loaded'],
      [['--atomic'], 'loaded'],
    ] as const) {
      await rm(console.path('firn_data'), { recursive: true, force: true })
      const line = `${node} load rows.jsonl --key id ${more.join(' ')}`
      const { status, out, err } = await limited(64, line)
      expect(err).toMatch(/^firn: .*\(?EFBIG\)?.*\n$/)
      expect(err).toContain(became)
      expect(err).not.toMatch(/batch|db\./)
      expect({ status, out }).toEqual({ status: 1, out: '' })
    }
  })

  test('a directory that cannot be made is named as the reason', async () => {
    await writeFile(console.path('file'), '')
    await writeFile(console.path('rows.jsonl'), rows.join(''))
    const args = ['load', 'rows.jsonl', '--key', 'id', '--path', 'file/below']
    const { status, err } = await firn(args)
    expect(status).toBe(1)
    expect(err).toContain('ENOTDIR')
  })

  test('a directory in place of stdin is not an empty file', async () => {
    const directory = openSync(console.directory, 'r')
    const args = ['load', '-', '--key', 'id']
    const { status, err } = await firn(args, { stdio: [directory, 'pipe', 'pipe'] })
    closeSync(directory)
    expect(err).toBe('firn: stdin is a directory; redirect it from a file\n')
    expect(status).toBe(2)
  })
})
