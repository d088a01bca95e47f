import { execFile } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemEnv } from '@firn/env'
import { expect, test } from 'vitest'
import { freePort } from '../src/internal/free-port.js'
import { startProcess } from '../src/internal/service-process.js'

const run = promisify(execFile)

/** Whether somebody listens there. */
async function listens(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`).then(
    () => true,
    () => false,
  )
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await systemEnv.sleep(10)
}

/** A program of Node's that listens on a port, once started. */
function listener(port: number, more = ''): readonly string[] {
  return ['-e', `${more};http.createServer((_, r) => r.end()).listen(${port}, '127.0.0.1')`]
}

test('runs until it is stopped', async () => {
  const port = await freePort()
  const service = await startProcess({
    name: 'listener',
    command: process.execPath,
    args: listener(port),
    isReady: () => listens(port),
  })
  expect(await listens(port)).toBe(true)
  await Promise.all([service.stop(), service.stop()])
  expect(await listens(port)).toBe(false)
})

test('is killed where it doesn’t end when it is asked to', async () => {
  const port = await freePort()
  const service = await startProcess({
    name: 'deaf',
    command: process.execPath,
    args: listener(port, "process.on('SIGTERM', () => {})"),
    isReady: () => listens(port),
    stopTimeoutMs: 100,
  })
  await service.stop()
  expect(await listens(port)).toBe(false)
})

test('that ends at once is an error that has its last words', async () => {
  const start = startProcess({
    name: 'wordy',
    command: '/bin/sh',
    args: ['-c', 'echo no such option >&2; exit 3'],
    isReady: async () => false,
  })
  await expect(start).rejects.toThrow(/wordy ended at once[\s\S]*no such option/)
})

test('that isn’t there is an error', async () => {
  const start = startProcess({
    name: 'nothing',
    command: '/nowhere/nothing',
    args: [],
    isReady: async () => false,
  })
  await expect(start).rejects.toThrow(/nothing ended at once/)
})

test('that doesn’t become ready in time is stopped again', async () => {
  const port = await freePort()
  const start = startProcess({
    name: 'slow',
    command: process.execPath,
    args: listener(port),
    isReady: async () => {
      // It is up, and says of itself that it isn't ready.
      await until(() => listens(port))
      throw new Error('not yet')
    },
    startTimeoutMs: 1,
  })
  await expect(start).rejects.toThrow(/slow was not ready within 1 ms/)
  expect(await listens(port)).toBe(false)
})

test('ends when the process that started it is killed', async () => {
  const port = await freePort()
  const module = fileURLToPath(new URL('../dist/internal/service-process.js', import.meta.url))
  const program = `
    const { startProcess } = await import(${JSON.stringify(module)})
    await startProcess({
      name: 'listener',
      command: process.execPath,
      args: ${JSON.stringify(listener(port))},
      isReady: () => fetch('http://127.0.0.1:${port}').then(() => true),
    })
    process.kill(process.pid, 'SIGKILL')`
  const killed = run(process.execPath, ['--input-type=module', '-e', program])
  await expect(killed).rejects.toMatchObject({ signal: 'SIGKILL' })
  await until(async () => !(await listens(port)))
})

test('a free port is free, and on loopback', async () => {
  const server = http.createServer().listen(await freePort(), '127.0.0.1')
  await once(server, 'listening')
  server.close()
})
