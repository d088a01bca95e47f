import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { LONG } from '@firn/test-support'
import { expect, test, vi } from 'vitest'
import { makeConsole } from './console.js'

const console = makeConsole()
vi.setConfig({ testTimeout: 600_000 })
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Says on stderr how much memory the process had at its highest, in KiB. */
const REPORT_MEMORY =
  'data:text/javascript,process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))'

/** Loads a stream in a process of its own, whose heap is of so many MiB. */
async function load(heapMib: number, args: readonly string[], chunks: Iterable<string>) {
  const node = [`--max-old-space-size=${heapMib}`, `--import=${REPORT_MEMORY}`, main]
  const child = spawn(process.execPath, [...node, 'load', '-', ...args, '--json'], {
    cwd: console.directory,
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text))
  const closed = once(child, 'close')
  // The process may end before it has read everything.
  child.stdin.on('error', () => {})
  for (const chunk of chunks) {
    if (child.stdin.destroyed) break
    if (child.stdin.write(chunk) || child.stdin.destroyed) continue
    await new Promise<void>((resolve) => {
      const onDone = () => {
        child.stdin.off('drain', onDone).off('close', onDone)
        resolve()
      }
      child.stdin.on('drain', onDone).on('close', onDone)
    })
  }
  child.stdin.end()
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null]
  const peakMib = Number(/peak (\d+)/.exec(err)?.[1]) / 1024
  return { status: code ?? signal, out, err, peakMib }
}

function* lines(mib: number, line: (i: number) => string, header = ''): Generator<string> {
  if (header !== '') yield header
  for (let i = 0, bytes = 0; bytes < mib * 1024 * 1024; ) {
    let chunk = ''
    while (chunk.length < 64 * 1024) chunk += line(i++)
    bytes += chunk.length
    yield chunk
  }
}

const id = (i: number) => `${(i * 2_654_435_761) % 2 ** 32}-${i}`
const json = (i: number) => `{"id":"${id(i)}","n":${i},"tags":["a","b"],"x":"${'y'.repeat(100)}"}\n`
const csv = (i: number) => `${id(i)},"quoted ""${i}""",${'y'.repeat(150)}\n`

test('a file larger than the heap is loaded', async () => {
  const mib = LONG ? 400 : 24
  const { status, out, err, peakMib } = await load(40, ['--key', 'id'], lines(mib, json))
  expect(status, err).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ skipped: 0, interrupted: false })
  // Memtables and caches lie beside the heap, and have bounds of their own.
  if (LONG) expect(peakMib).toBeLessThan(800)
})

test('so is one of CSV, and one that is a single commit', async () => {
  const mib = LONG ? 100 : 12
  const header = 'id,name,x\n'
  const format = ['--key', 'id', '--format', 'csv']
  expect(await load(40, format, lines(mib, csv, header))).toMatchObject({ status: 0 })
  expect(await load(60, ['--key', 'id', '--atomic'], lines(mib, json))).toMatchObject({ status: 0 })
})

test('a line without an end is refused before it fills the memory', async () => {
  const endless = lines(300, () => 'x'.repeat(1000))
  const { status, err, peakMib } = await load(40, ['--key', 'id'], endless)
  expect(status, err).toBe(1)
  expect(JSON.parse(err.split('\n')[0] ?? '')).toEqual({
    error: {
      code: 'FIRN_BAD_INPUT',
      message: expect.stringMatching(/^stdin:1: a line longer than 64.* MiB/),
    },
  })
  expect(peakMib).toBeLessThan(400)
})
