import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { tempDirectory } from '@firn/test-support'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DirectoryLock, FileCommitLog } from '../src/file.js'
import type { LockRecord } from '../src/internal/file/lock-record.js'

const HOLDER = path.join(import.meta.dirname, 'lock-holder.mjs')
const locked = { code: 'FIRN_LOCKED' }

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  line(): Promise<string>
  /** All it says until it ends. */
  all(): Promise<string>
  kill(): Promise<void>
}

/** A process that takes the lock, as a child of other programs if `through` names some. */
function child(directory: string, how: string, through: readonly string[] = []): Child {
  const [command = '', ...args] = [...through, process.execPath, HOLDER, directory, how]
  const running = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  // Its end, and the end of all that it started.
  const closed = new Promise((resolve) => running.on('close', resolve))
  onTestFinished(() => void running.kill('SIGKILL'))
  return {
    process: running,
    line: async () => String((await once(running.stdout, 'data'))[0]).trim(),
    all: async () => {
      let said = ''
      running.stdout.on('data', (data) => {
        said += data
      })
      await closed
      return said.trim()
    },
    kill: async () => {
      running.kill('SIGKILL')
      await closed
    },
  }
}

async function held(directory: string, how = 'hold', through?: readonly string[]): Promise<Child> {
  const holder = child(directory, how, through)
  expect(await holder.line()).toBe('held')
  return holder
}

/** What the holder wrote, changed as if it had run elsewhere. */
function forge(directory: string, changes: Partial<LockRecord['owner']>): void {
  const file = path.join(directory, 'LOCK-1')
  const record = JSON.parse(fs.readFileSync(file, 'utf8')) as LockRecord
  fs.writeFileSync(file, JSON.stringify({ ...record, owner: { ...record.owner, ...changes } }))
}

async function expectFree(directory: string): Promise<void> {
  ;(await DirectoryLock.acquire(directory)).release()
}

const UNSHARE = ['unshare', '--kill-child=SIGKILL', '-p', '-f', '--mount-proc']
const UNSHARE_AS_USER = ['unshare', '--kill-child=SIGKILL', '-U', '-r', '-p', '-f', '--mount-proc']

function isPermitted([command = '', ...args]: readonly string[]): boolean {
  return spawnSync(command, [...args, 'true']).status === 0
}

/** The ways into another pid namespace that this system permits. Forged ones run on any. */
const NAMESPACES = [
  { name: 'of another pid namespace', through: UNSHARE },
  { name: 'of another pid namespace without its /proc', through: UNSHARE.slice(0, -1) },
  { name: 'of another user and pid namespace', through: UNSHARE_AS_USER },
].filter(({ through }) => isPermitted(through))

for (const { name, through } of NAMESPACES) {
  describe(`a process ${name}`, () => {
    test('doesn’t open a directory that a living process has', async () => {
      const directory = tempDirectory()
      const holder = await held(directory)
      expect(await child(directory, 'try', through).all()).toMatch(
        `FIRN_LOCKED ${directory} is open for writing in process ${holder.process.pid} on host`,
      )
    })

    test('33: keeps its lock while it lives, and not after', async () => {
      const directory = tempDirectory()
      const holder = await held(directory, 'hold', through)
      await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
      expect(await child(directory, 'try').all()).toMatch('FIRN_LOCKED')
      expect(await child(directory, 'try', through).all()).toMatch('FIRN_LOCKED')
      await holder.kill()
      expect(await child(directory, 'try', through).all()).toBe('held')
      await expectFree(directory)
    })

    test('opens after a killed one', async () => {
      const directory = tempDirectory()
      await (await held(directory)).kill()
      expect(await child(directory, 'try', through).all()).toBe('held')
    })
  })
}

describe('the owner of a directory', () => {
  test('33: keeps it if it seems to be of another boot or container', async () => {
    for (const changes of [
      { bootId: 'other' },
      { pidNamespace: 'pid:[1]' },
      { bootId: '' },
      { pidNamespace: '', bootId: '' },
      { pidNamespace: 'pid:[1]', pid: 2 ** 22 + 1 },
    ]) {
      const directory = tempDirectory()
      const holder = await held(directory)
      forge(directory, changes)
      await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
      await expect(FileCommitLog.open(directory)).rejects.toMatchObject(locked)
      const reader = await FileCommitLog.open(directory, { mode: 'read' })
      await reader.close()
      await holder.kill()
    }
  })

  test('that was killed is dead by its socket, though its number is another’s now', async () => {
    const directory = tempDirectory()
    await (await held(directory)).kill()
    forge(directory, { pid: process.pid, startTime: '' })
    await expectFree(directory)
  })

  test('is not known if it can be neither reached nor looked up, and the message says what to do', async () => {
    for (const changes of [
      { bootId: 'other', fileSystem: '0x6969' },
      { bootId: '' },
      { socket: '', pidNamespace: 'pid:[1]' },
      { socket: '', pidNamespace: '' },
      { socket: '', bootId: '' },
      { platform: 'other' },
    ]) {
      const directory = tempDirectory()
      const holder = await held(directory)
      forge(directory, { ...changes, hostname: 'elsewhere' })
      await holder.kill()
      const error = await DirectoryLock.acquire(directory).catch((reason: unknown) => reason)
      if (process.platform !== 'linux') continue
      expect(error).toMatchObject(locked)
      const { message } = error as Error
      expect(message).toContain(`process ${holder.process.pid} on host elsewhere`)
      expect(message).toContain(`delete ${path.join(directory, 'LOCK-1')}`)
      expect(await DirectoryLock.inspect(directory)).toMatchObject({ held: true })
    }
  })

  test('without a socket lives by its process id', async () => {
    const directory = tempDirectory()
    const holder = await held(directory)
    forge(directory, { socket: '' })
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
    await holder.kill()
    await expectFree(directory)
  })

  test('keeps it while it is stopped', async () => {
    const directory = tempDirectory()
    const holder = await held(directory)
    holder.process.kill('SIGSTOP')
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
    await holder.kill()
    await expectFree(directory)
  })

  test('33: is a thread: when it is terminated its process and others can open', async () => {
    const directory = tempDirectory()
    const holder = await held(directory, 'worker')
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
    holder.process.stdin.write('terminate\n')
    expect(await holder.line()).toBe('terminated')
    await expectFree(directory)
    expect(holder.process.exitCode).toBeNull()
  })

  test('in a worker of node:cluster doesn’t leave it to the primary', async () => {
    const directory = tempDirectory()
    const holder = await held(directory, 'cluster')
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
    holder.process.stdin.write('kill\n')
    expect(await holder.line()).toBe('terminated')
    await expectFree(directory)
  })

  test('is one thread of a process, not two', async () => {
    const directory = tempDirectory()
    const lock = await DirectoryLock.acquire(directory)
    await expect(DirectoryLock.acquire(directory)).rejects.toThrow('this process')
    lock.release()
    await expectFree(directory)
  })

  test('of a directory with a long path is known too', async () => {
    const directory = path.join(tempDirectory(), 'x'.repeat(120), 'y'.repeat(120))
    fs.mkdirSync(directory, { recursive: true })
    const holder = await held(directory)
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
    await holder.kill()
    await expectFree(directory)
  })
})
