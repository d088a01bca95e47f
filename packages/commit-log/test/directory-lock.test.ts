import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { type Env, FormatVersionError, systemEnv } from '@firn/env'
import { tempDirectory } from '@firn/test-support'
import { nodeFileSystem, type Owner, WrappedFileSystem } from '@firn/vfs'
import { FaultyFileSystem } from '@firn/vfs/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DirectoryLock, FileCommitLog } from '../src/file.js'
import type { LockRecord } from '../src/internal/file/lock-record.js'

const locked = { code: 'FIRN_LOCKED' }
const HOLDER = path.join(import.meta.dirname, 'lock-holder.mjs')

type Child = ChildProcessByStdio<Writable, Readable, null>

function child(directory: string, how: string): Child {
  const holder = spawn(process.execPath, [HOLDER, directory, how], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void holder.kill('SIGKILL'))
  return holder
}

async function line(from: Child): Promise<string> {
  const [data] = await once(from.stdout, 'data')
  return String(data).trim()
}

function generations(directory: string): number[] {
  return fs
    .readdirSync(directory)
    .filter((name) => /^LOCK-\d+$/.test(name))
    .map((name) => Number(name.slice(5)))
    .sort((a, b) => a - b)
}

/** This process as the owner of a directory, without a socket. */
const self: Owner = {
  ...nodeFileSystem.processes.self(),
  fileSystem: '',
  device: '',
  socket: '',
}

/** One that has ended. */
const ended: Owner = { ...self, pid: 2 ** 22 + 1 }

/** A lock as another process left it. */
function leave(directory: string, generation: number, changes: Partial<LockRecord>): void {
  const record: LockRecord = {
    format: 1,
    state: 'held',
    nonce: '00',
    owner: self,
    ...changes,
  }
  fs.writeFileSync(path.join(directory, `LOCK-${generation}`), JSON.stringify(record))
}

describe('the lock of a directory', () => {
  test('33: has one owner, who hands a note to the next', async () => {
    const directory = tempDirectory()
    const first = await DirectoryLock.acquire(directory)
    expect(first.previousNote).toBeUndefined()
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
    await expect(DirectoryLock.acquire(directory)).rejects.toThrow(/this process.*mode 'read'/)
    expect(await DirectoryLock.inspect(directory)).toEqual({ generation: 1, held: true })
    first.release({ version: 7 })
    first.release({ version: 8 })
    expect(await DirectoryLock.inspect(directory)).toMatchObject({
      generation: 1,
      held: false,
      note: { version: 7 },
    })
    const second = await DirectoryLock.acquire(directory)
    expect(second.previousNote).toEqual({ version: 7 })
    second.release()
    const third = await DirectoryLock.acquire(directory)
    expect(third.previousNote).toBeUndefined()
    expect(third.generation).toBe(3)
    third.release()
  })

  test('leaves two files at the most, however often it is taken', async () => {
    const directory = tempDirectory()
    for (let i = 0; i < 30; i++) (await DirectoryLock.acquire(directory)).release()
    expect(generations(directory)).toEqual([29, 30])
    expect(fs.readdirSync(directory)).toHaveLength(2)
  })

  test('clears away what dead owners left: when it is let go, or at once where it is much', async () => {
    const dead = { owner: ended }
    for (const [count, during] of [
      [5, [1, 2, 3, 4, 5, 6]],
      [20, [20, 21]],
    ] as const) {
      const directory = tempDirectory()
      for (let generation = 1; generation <= count; generation++) {
        leave(directory, generation, dead)
      }
      for (const part of ['tmp', 'sock', 'sock.tmp']) {
        fs.writeFileSync(path.join(directory, `LOCK-2-0123456789abcdef.${part}`), '')
      }
      const lock = await DirectoryLock.acquire(directory)
      expect(generations(directory)).toEqual(during)
      lock.release()
      expect(fs.readdirSync(directory).sort()).toEqual([`LOCK-${count}`, `LOCK-${count + 1}`])
    }
  })

  test('is let go when the directory is gone', async () => {
    const directory = path.join(tempDirectory(), 'gone')
    fs.mkdirSync(directory)
    const lock = await DirectoryLock.acquire(directory)
    fs.rmSync(directory, { recursive: true })
    lock.release()
  })

  test('33: is free when its owner was killed, and not a moment before', async () => {
    const directory = tempDirectory()
    const holder = child(directory, 'hold')
    expect(await line(holder)).toBe('held')
    await expect(DirectoryLock.acquire(directory)).rejects.toThrow(`process ${holder.pid} on host`)
    await expect(FileCommitLog.open(directory)).rejects.toMatchObject(locked)
    const reader = await FileCommitLog.open(directory, { mode: 'read' })
    await reader.close()
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const lock = await DirectoryLock.acquire(directory)
    lock.release()
  })

  test('goes to one of twenty processes that want it at once', async () => {
    const directory = tempDirectory()
    const racers = Array.from({ length: 20 }, () => child(directory, 'race'))
    expect(await Promise.all(racers.map(line))).toEqual(racers.map(() => 'ready'))
    const answers = racers.map(line)
    for (const racer of racers) racer.stdin.write('go\n')
    const outcomes = await Promise.all(answers)
    expect(outcomes.filter((outcome) => outcome === 'held')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'locked')).toHaveLength(19)
    const exits = racers.map((racer) => once(racer, 'exit'))
    for (const racer of racers) racer.stdin.end()
    await Promise.all(exits)
    ;(await DirectoryLock.acquire(directory)).release()
  }, 30_000)

  test('of a dead owner goes to one of those who find it', async () => {
    const directory = tempDirectory()
    leave(directory, 41, { owner: ended })
    const racers = Array.from({ length: 8 }, () => child(directory, 'race'))
    await Promise.all(racers.map(line))
    const answers = racers.map(line)
    for (const racer of racers) racer.stdin.write('go\n')
    const outcomes = await Promise.all(answers)
    expect(outcomes.filter((outcome) => outcome === 'held')).toHaveLength(1)
    expect(generations(directory).at(-1)).toBe(42)
    for (const racer of racers) racer.stdin.end()
  }, 30_000)

  test('never has two owners while many take and release it', async () => {
    const directory = tempDirectory()
    const churners = Array.from({ length: 4 }, () => child(directory, 'churn'))
    expect(await Promise.all(churners.map(line))).toEqual(churners.map(() => 'owned 15'))
  }, 30_000)

  test('is not taken by who comes back to a number that was cleared away', async () => {
    const directory = tempDirectory()
    fs.writeFileSync(path.join(directory, 'LOCK-3'), 'torn')
    // While somebody looks at 3 again and again, others take 4 and 5, and 4 is cleared away.
    const env: Env = {
      ...systemEnv,
      sleep: async () => leave(directory, 5, {}),
    }
    await expect(DirectoryLock.acquire(directory, { env })).rejects.toMatchObject(locked)
    expect(generations(directory)).toEqual([3, 5])
  })

  test('33: is taken by who was so slow that three others had come and gone', async () => {
    const directory = tempDirectory()
    let attempts = 0
    const slow = new WrappedFileSystem(nodeFileSystem)
    slow.linkSync = (from, to) => {
      if (attempts++ === 0) {
        for (let i = 0; i < 3; i++) leave(directory, i + 1, { state: 'released' })
        // The last of them has cleared away what belongs to the first number.
        fs.rmSync(from)
      }
      nodeFileSystem.linkSync(from, to)
    }
    const lock = await DirectoryLock.acquire(directory, { fileSystem: slow })
    expect([lock.generation, attempts]).toEqual([4, 2])
    lock.release()
  })

  test('that a crash of the machine left torn has no owner', async () => {
    for (const torn of ['', '{"format":1,"sta', 'null', '[]', '{"format":1,"state":"held"}']) {
      const directory = tempDirectory()
      fs.writeFileSync(path.join(directory, 'LOCK-3'), torn)
      const lock = await DirectoryLock.acquire(directory)
      expect(lock.generation).toBe(4)
      lock.release()
    }
  })

  test('37: of a newer release is respected', async () => {
    const directory = tempDirectory()
    fs.writeFileSync(path.join(directory, 'LOCK-3'), '{"format":2}')
    await expect(DirectoryLock.acquire(directory)).rejects.toThrow(FormatVersionError)
  })
})

describe('a lock on a disk that fails', () => {
  test('33: reports that it can’t be released, and its process no longer owns it', async () => {
    const directory = tempDirectory()
    let broken = false
    const changes = ['createFile', 'remove', 'open', 'rename']
    const fileSystem = new FaultyFileSystem(({ call }) =>
      broken && changes.includes(call) ? { code: 'EIO' } : undefined,
    )
    const log = await FileCommitLog.open(directory, { fileSystem })
    broken = true
    await expect(log.close()).rejects.toMatchObject({
      code: 'FIRN_LOG_FAILED',
      cause: { code: 'EIO' },
    })
    await expect(DirectoryLock.acquire(directory)).rejects.toMatchObject(locked)
    broken = false
    const again = await FileCommitLog.open(directory, { fileSystem })
    await again.close()
    const lock = await DirectoryLock.acquire(directory)
    lock.release()
  })

  test('33: is not held by a process that failed while it took it', async () => {
    const directory = tempDirectory()
    let looks = 0
    // The second look at the directory has the lock in it.
    const fileSystem = new FaultyFileSystem(({ call }) =>
      call === 'names' && ++looks === 2 ? { code: 'EIO' } : undefined,
    )
    await expect(FileCommitLog.open(directory, { fileSystem })).rejects.toMatchObject({
      code: 'FIRN_LOG_FAILED',
    })
    const log = await FileCommitLog.open(directory, { fileSystem })
    await log.close()
  })
})
