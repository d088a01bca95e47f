import { join } from 'node:path'
import { runProgram, tempDirectory } from '@firn/test-support'
import { afterAll, describe, test, vi } from 'vitest'
import { copyPackages } from '../support/copied-packages.js'

vi.setConfig({ testTimeout: 120_000 })

const root = tempDirectory(afterAll)
let places = 0

const HERE = { from: import.meta.dirname }

/** Flushes go to a thread from 4 MiB on. */
const OPTIONS = {
  memtableBytes: 5_000_000,
  tuning: { level0Trigger: 2, level0Slowdown: 3, level0Stop: 3 },
}

/** 26 MB, over the same keys again and again: writers wait for flushes and compactions. */
const LOAD = `
  for (let round = 0; round < 13; round++) {
    const writes = []
    for (let i = 0; i < 40; i++) writes.push(t.put('k' + ((round * 7 + i) % 60), 'x'.repeat(50_000)))
    await Promise.all(writes)
  }
`

const CHECK = `
  await db.compact()
  if ((await t.count()) !== 60) throw new Error('rows are missing')
  const { flushes, compactions } = await db.stats()
  if (flushes.count === 0 || compactions.count === 0) throw new Error('nothing was flushed or compacted')
`

function program(body: string, options: object = OPTIONS): string {
  return `
    const { open } = await import('@firn/engine')
    const warnings = []
    const logger = { warn: (message, { error } = {}) => warnings.push([message, error]) }
    const db = await open('file:' + ${JSON.stringify(join(root, `data-${places++}`))}, { logger, ...${JSON.stringify(options)} })
    const t = db.table('t', { keys: 'utf8', values: 'utf8' })
    ${body}
    console.log('done')
  `
}

const WARNS_ONCE = `
  const told = warnings.filter(([message]) => message.includes("compaction: 'inline'"))
  if (told.length !== 1) throw new Error('told ' + told.length + ' times')
  console.log(told[0][1].code, /\\(.+\\)/.exec(told[0][1].message)?.[0].slice(0, 24))
`

const THROWS = `
  import { parentPort } from 'node:worker_threads'
  parentPort.on('message', () => { throw new RangeError('out of something') })
  parentPort.postMessage({ type: 'ready' })
`

/** Where the packages have another script for threads. */
function withScript(script: string | undefined): { from: string } {
  const from = join(root, `packages-${places++}`)
  copyPackages(from, script)
  return { from }
}

describe('writes go on where threads', () => {
  test.concurrent('have no script, as in a bundle', async ({ expect }) => {
    const place = withScript(undefined)
    const ended = await runProgram(
      program(`${LOAD} ${CHECK} ${WARNS_ONCE} await db.close()`),
      place,
    )
    expect(ended).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^FIRN_THREAD_ENDED \(Cannot find module.*\ndone\n$/),
      stderr: '',
    })
  })

  test.concurrent('are refused by the runtime', async ({ expect }) => {
    const before = `
      import threads from 'node:worker_threads'
      import { syncBuiltinESMExports } from 'node:module'
      threads.Worker = class {
        constructor() {
          throw Object.assign(new Error('Access is denied'), { code: 'ERR_ACCESS_DENIED' })
        }
      }
      syncBuiltinESMExports()
    `
    const body = `${LOAD} ${CHECK} ${WARNS_ONCE} await db.close()`
    expect(await runProgram(before + program(body), HERE)).toEqual({
      status: 0,
      stdout: 'FIRN_THREAD_ENDED (Access is denied)\ndone\n',
      stderr: '',
    })
  })

  test.concurrent('end in the middle of their work', async ({ expect }) => {
    const dies = `
      import { parentPort } from 'node:worker_threads'
      parentPort.on('message', () => process.exit(7))
      parentPort.postMessage({ type: 'ready' })
    `
    const place = withScript(dies)
    const ended = await runProgram(
      program(`${LOAD} ${CHECK} ${WARNS_ONCE} await db.close()`),
      place,
    )
    expect(ended).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/\ndone\n$/),
      stderr: '',
    })
  })

  test.concurrent.for([
    ['throw', THROWS],
    ['throw as they load', 'throw new Error("at load")'],
  ] as const)('%s', async ([, script], { expect }) => {
    const place = withScript(script)
    const ended = await runProgram(
      program(`${LOAD} ${CHECK} ${WARNS_ONCE} await db.close()`),
      place,
    )
    expect(ended).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/\ndone\n$/),
      stderr: '',
    })
  })
})

test.concurrent('writes end well or with a typed error when no file descriptor is left', async ({
  expect,
}) => {
  const body = `
    const { openSync, closeSync } = await import('node:fs')
    const taken = []
    try {
      for (;;) taken.push(openSync('/dev/null'))
    } catch {}
    for (let i = 0; i < 4; i++) closeSync(taken.pop())
    let told = false
    try {
      ${LOAD}
    } catch (error) {
      if (!/^FIRN_WRITE_/.test(error.code) || !/EMFILE/.test(error.message)) throw error
      told = true
    }
    if (!told && warnings.length === 0) throw new Error('nothing was told')
    for (const descriptor of taken) closeSync(descriptor)
    await db.close()
  `
  expect(await runProgram(program(body), { ...HERE, descriptors: 100 })).toEqual({
    status: 0,
    stdout: 'done\n',
    stderr: '',
  })
})

test.concurrent('work in a thread that no call waits for does not keep a program from ending', async ({
  expect,
}) => {
  const hangs = `
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', () => {})
    parentPort.postMessage({ type: 'ready' })
  `
  const place = withScript(hangs)
  const body = `
    const writes = []
    for (let i = 0; i < 120; i++) writes.push(t.put('k' + i, 'x'.repeat(50_000)))
    await Promise.all(writes)
  `
  expect(await runProgram(program(body), place)).toEqual({
    status: 0,
    stdout: 'done\n',
    stderr: '',
  })
})
