import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { outputOf, tempDirectory } from '@firn/test-support'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  announce,
  type Here,
  isOfEarlierBoot,
  livenessOf,
  type Owner,
  parseOwner,
  provesDeath,
} from '../src/owner.js'
import { ownIdentity } from '../src/process-identity.js'

const SCRIPT = path.join(import.meta.dirname, 'owner.mjs')
/** Of this file's run: sockets may have names that all of the machine sees. */
const RUN = randomBytes(8).toString('hex')
let names = 0

/** One that is never used again. */
function newName(): string {
  return `LOCK-${++names}-${RUN}.sock`
}

interface Running {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  readonly owner: Owner
  /** Sends a line and waits for what follows: an answer or the end. */
  end(): Promise<void>
  kill(): Promise<void>
}

async function run(directory: string, how: 'hold' | 'worker', as: object = {}): Promise<Running> {
  const args = [SCRIPT, directory, how, JSON.stringify(as), newName()]
  const process = spawn('node', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void process.kill('SIGKILL'))
  const [line] = await once(process.stdout, 'data')
  return {
    process,
    owner: JSON.parse(String(line)),
    end: async () => {
      const ends = how === 'worker' ? once(process.stdout, 'data') : once(process, 'exit')
      process.stdin.write('\n')
      await ends
    },
    kill: async () => {
      const exit = once(process, 'exit')
      process.kill('SIGKILL')
      await exit
    },
  }
}

/** How an owner is announced here, and as one of another container. */
const WAYS = [
  { name: 'with a socket as this system has it', as: {} },
  { name: 'with a socket in the directory', as: { pidNamespace: 'pid:[1]' } },
] as const

for (const { name, as } of process.platform === 'linux' ? WAYS : WAYS.slice(0, 1)) {
  describe(`an owner ${name}`, () => {
    test('lives until it is killed', async () => {
      const directory = tempDirectory()
      const running = await run(directory, 'hold', as)
      expect(await livenessOf(directory, running.owner)).toBe('alive')
      await running.kill()
      expect(await livenessOf(directory, running.owner)).toBe('dead')
    })

    test('lives until it ends by process.exit', async () => {
      const directory = tempDirectory()
      const running = await run(directory, 'hold', as)
      expect(await livenessOf(directory, running.owner)).toBe('alive')
      await running.end()
      expect(await livenessOf(directory, running.owner)).toBe('dead')
    })

    test('is dead when its worker thread was terminated, though its process lives', async () => {
      const directory = tempDirectory()
      const running = await run(directory, 'worker', as)
      expect(await livenessOf(directory, running.owner)).toBe('alive')
      await running.end()
      const expected = process.platform === 'darwin' ? 'alive' : 'dead'
      expect(await livenessOf(directory, running.owner)).toBe(expected)
      expect(running.process.exitCode).toBeNull()
    })

    test.runIf(process.platform === 'linux')(
      'lives while it is stopped, however often it is asked',
      async () => {
        const directory = tempDirectory()
        const running = await run(directory, 'hold', as)
        running.process.kill('SIGSTOP')
        // More than wait in its queue.
        for (let i = 0; i < 600; i++) {
          expect(await livenessOf(directory, running.owner)).toBe('alive')
        }
        running.process.kill('SIGCONT')
        await running.kill()
        expect(await livenessOf(directory, running.owner)).toBe('dead')
      },
      60_000,
    )

    test('lives whatever its identity looks like from here', async () => {
      const directory = tempDirectory()
      const { owner } = await run(directory, 'hold', as)
      for (const other of [
        { bootId: 'other' },
        { pidNamespace: 'pid:[2]' },
        { pid: 2 ** 22 + 1 },
      ]) {
        expect(await livenessOf(directory, { ...owner, ...other })).toBe('alive')
      }
    })

    test('ends its sign and leaves nothing', async () => {
      const directory = tempDirectory()
      const sign = await announce(directory, newName(), {
        identity: { ...ownIdentity(), ...as },
      })
      expect(sign.owner.socket).toMatch(/^[a-z]+:LOCK-\d+-[0-9a-f]+\.sock$/)
      expect(await livenessOf(directory, sign.owner)).toBe('alive')
      sign.end()
      expect(fs.readdirSync(directory)).toEqual([])
    })

    test('takes no bytes, and doesn’t keep its process running', async () => {
      const directory = tempDirectory()
      const source = `
        import { announce } from ${JSON.stringify(import.meta.resolve('../dist/index.js'))}
        import { ownIdentity } from ${JSON.stringify(import.meta.resolve('../dist/process-identity.js'))}
        const identity = { ...ownIdentity(), ...${JSON.stringify(as)} }
        await announce(${JSON.stringify(directory)}, '${newName()}', { identity })
      `
      expect(await outputOf(source, { from: import.meta.dirname })).toBe('')
    })
  })
}

function socketOf(directory: string, { socket }: Owner): string {
  return path.join(directory, socket.replace('directory:', ''))
}

describe.runIf(process.platform === 'linux')('a socket in a directory', () => {
  const as = { pidNamespace: 'pid:[1]' }

  test('works when the path of the directory is longer than a socket’s may be', async () => {
    const directory = path.join(tempDirectory(), 'x'.repeat(120), 'y'.repeat(120))
    fs.mkdirSync(directory, { recursive: true })
    const running = await run(directory, 'hold', as)
    expect(running.owner.socket).toMatch(/^directory:/)
    expect(await livenessOf(directory, running.owner)).toBe('alive')
    await running.kill()
    expect(running.owner.socket).toBe(`directory:${fs.readdirSync(directory)[0]}`)
    expect(await livenessOf(directory, running.owner)).toBe('dead')
  })

  test('that was removed proves nothing', async () => {
    const directory = tempDirectory()
    const running = await run(directory, 'hold', as)
    fs.rmSync(socketOf(directory, running.owner))
    expect(await livenessOf(directory, running.owner)).toBe('unknown')
    const { pidNamespace } = ownIdentity()
    expect(await livenessOf(directory, { ...running.owner, pidNamespace })).toBe('alive')
    await running.kill()
    expect(await livenessOf(directory, running.owner)).toBe('unknown')
    expect(await livenessOf(directory, { ...running.owner, pidNamespace })).toBe('dead')
  })

  test('is answered without reading from it', async () => {
    const directory = tempDirectory()
    const sign = await announce(directory, newName(), {
      identity: { ...ownIdentity(), ...as },
    })
    onTestFinished(() => sign.end())
    const connection = net.connect(socketOf(directory, sign.owner))
    connection.on('error', () => {})
    const closed = new Promise((resolve) => connection.on('close', resolve))
    connection.write('hello')
    await closed
    expect(connection.bytesRead).toBe(0)
  })
})

describe.runIf(process.platform === 'linux')('an owner that was killed', () => {
  async function killed(as: object = {}): Promise<{ directory: string; owner: Owner }> {
    const directory = tempDirectory()
    const running = await run(directory, 'hold', as)
    await running.kill()
    return { directory, owner: running.owner }
  }

  test('on an earlier boot of this machine is dead, on a disk of its own', async () => {
    for (const { as } of WAYS) {
      const { directory, owner } = await killed(as)
      const local = { fileSystem: '0x1021994', device: owner.device }
      const here = { ...ownIdentity(), ...local }
      const earlier = { ...owner, ...local, bootId: 'earlier' }
      const kind = owner.socket.startsWith('abstract') ? 'abstract' : 'directory'
      const proven = provesDeath(kind, earlier, here) || isOfEarlierBoot(earlier, here)
      expect(proven).toBe(true)
      expect(
        await livenessOf(directory, { ...owner, bootId: 'earlier', fileSystem: '0x6969' }),
      ).toBe('unknown')
    }
  })

  test('may run on another machine that has the same directory', async () => {
    const { directory, owner } = await killed({ pidNamespace: 'pid:[1]' })
    for (const other of [
      { bootId: 'other', fileSystem: '0x6969' },
      { bootId: 'other', fileSystem: '' },
      { bootId: '', fileSystem: '0x6969' },
      { fileSystem: '0x6969', device: '46' },
      { platform: 'darwin' },
    ]) {
      expect(await livenessOf(directory, { ...owner, ...other })).toBe('unknown')
    }
  })
})

describe('what proves that an owner is gone', () => {
  const disk = { fileSystem: '0xef53', device: String(254 * 256) }
  const host = 'pid:[4026531836]'
  const here: Here = {
    ...ownIdentity(),
    platform: 'linux',
    bootId: 'now',
    pidNamespace: host,
    netNamespace: 'net:[1]',
    ...disk,
  }
  const owner: Owner = { ...here, socket: 'abstract:a' }

  test('is an earlier boot, seen outside of containers and on a disk of its own', () => {
    expect(isOfEarlierBoot({ ...owner, bootId: 'before' }, here)).toBe(true)
    for (const [other, self] of [
      [{}, {}],
      [{ bootId: '' }, {}],
      [{ bootId: 'before' }, { bootId: '' }],
      [{ bootId: 'before', pidNamespace: 'pid:[2]' }, {}],
      [{ bootId: 'before' }, { pidNamespace: 'pid:[2]' }],
      [{ bootId: 'before', fileSystem: '0x6969' }, {}],
      [{ bootId: 'before' }, { fileSystem: '0x6969' }],
      [{ bootId: 'before', fileSystem: '0x6969' }, { fileSystem: '0x6969' }],
    ]) {
      expect(isOfEarlierBoot({ ...owner, ...other }, { ...here, ...self })).toBe(false)
    }
  })

  test('is not a refusal that may come from another mounted file system or kernel', () => {
    const nfs = { fileSystem: '0x6969', device: '45' }
    const proves = (other: Partial<Owner>, self: Partial<Here>): boolean =>
      provesDeath('directory', { ...owner, ...other }, { ...here, ...self })
    expect(proves({}, {})).toBe(true)
    expect(proves({ bootId: 'before' }, {})).toBe(true)
    expect(proves(nfs, nfs)).toBe(true)
    expect(proves(nfs, { ...nfs, device: '46' })).toBe(false)
    expect(proves({ ...nfs, bootId: 'other' }, nfs)).toBe(false)
    expect(proves({ ...nfs, bootId: 'other' }, {})).toBe(false)
    expect(proves({ bootId: 'other' }, { fileSystem: '0x794c7630' })).toBe(false)
  })

  test('is not a refusal in another network namespace', () => {
    const proves = (other: Partial<Owner>, self: Partial<Here>): boolean =>
      provesDeath('abstract', { ...owner, ...other }, { ...here, ...self })
    expect(proves({}, {})).toBe(true)
    expect(proves({ netNamespace: 'net:[2]' }, {})).toBe(false)
    expect(proves({ netNamespace: '' }, { netNamespace: '' })).toBe(false)
    expect(proves({ bootId: 'other' }, {})).toBe(false)
    expect(proves({ bootId: '' }, { bootId: '' })).toBe(false)
  })

  test('on macOS is no refusal of a process that still has its number', () => {
    const mac = { platform: 'darwin', bootId: '', pidNamespace: '' }
    const self = { ...here, ...mac }
    expect(provesDeath('path', { ...owner, ...mac }, self)).toBe(true)
    expect(provesDeath('path', { ...owner, ...mac, pid: self.pid + 1 }, self)).toBe(false)
    expect(provesDeath('pipe', { ...owner, ...mac, hostname: 'other' }, self)).toBe(false)
  })
})

test('reads an owner from JSON, of an older release too', () => {
  expect(parseOwner({ pid: 7, hostname: 'h', socket: 3 })).toMatchObject({
    pid: 7,
    hostname: 'h',
    platform: '',
    socket: '',
  })
  for (const wrong of [undefined, null, 'x', {}, { pid: 0 }, { pid: '7' }]) {
    expect(parseOwner(wrong)).toBeUndefined()
  }
})

test('doesn’t look for sockets outside of the directory', async () => {
  const directory = tempDirectory()
  const sign = await announce(directory, newName())
  onTestFinished(() => sign.end())
  for (const socket of ['directory:../x', 'directory:/etc/x', 'x', 'ftp:x']) {
    expect(await livenessOf(directory, { ...sign.owner, socket, pid: 2 ** 22 + 1 })).toBe('dead')
  }
})
