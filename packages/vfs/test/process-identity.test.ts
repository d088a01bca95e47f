import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  isSameProcess,
  isSameProcessSpace,
  livenessByIdentity,
  ownIdentity,
} from '../src/process-identity.js'

const self = ownIdentity()
const linux = {
  ...self,
  platform: 'linux',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
  timeNamespace: 'time:[1]',
}
const mac = { ...self, platform: 'darwin', bootId: '', pidNamespace: '', timeNamespace: '' }
const NOBODY = 2 ** 22 + 1

describe('a process', () => {
  test('knows itself', () => {
    expect(isSameProcess(self)).toBe(true)
    expect(livenessByIdentity(self)).toBe('alive')
    expect(isSameProcess({ ...self, pidNamespace: 'pid:[1]' })).toBe(false)
  })

  test('that ended, or whose number is another’s now, is dead', () => {
    expect(livenessByIdentity({ ...self, pid: NOBODY })).toBe('dead')
    if (self.startTime !== '') {
      expect(livenessByIdentity({ ...self, startTime: '1' })).toBe('dead')
    }
  })

  test('of another boot or container is not taken for dead', () => {
    for (const other of [
      { bootId: 'other' },
      { pidNamespace: 'pid:[2]' },
      { bootId: '' },
      { pidNamespace: '' },
      { platform: 'darwin' },
    ]) {
      expect(livenessByIdentity({ ...linux, pid: NOBODY, ...other }, linux)).toBe('unknown')
    }
  })

  test('that can’t read its own boot or container takes no process for dead', () => {
    for (const hidden of [{ bootId: '' }, { pidNamespace: '' }]) {
      const blind = { ...linux, ...hidden }
      expect(livenessByIdentity({ ...blind, pid: NOBODY }, blind)).toBe('unknown')
      expect(isSameProcessSpace(blind, blind)).toBe(false)
    }
  })

  test('is known by its hostname on systems without containers', () => {
    expect(livenessByIdentity({ ...mac, pid: NOBODY }, mac)).toBe('dead')
    expect(livenessByIdentity({ ...mac, pid: NOBODY, hostname: 'other' }, mac)).toBe('unknown')
  })

  test('of another time namespace is not taken for dead by when it started', () => {
    const other = { ...self, startTime: '1', timeNamespace: 'time:[2]' }
    expect(livenessByIdentity(other)).toBe(isSameProcessSpace(self) ? 'alive' : 'unknown')
  })

  test.runIf(process.platform === 'linux')('is dead as a zombie', async () => {
    const { pid, stat } = await zombie()
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] as string
    expect(livenessByIdentity({ ...self, pid, startTime })).toBe('dead')
  })
})

/**
 * A process that ended and isn't waited for: the child of a shell that becomes another program. A
 * shell that was quick enough to wait for it first is tried again.
 */
async function zombie(): Promise<{ pid: number; stat: string }> {
  for (;;) {
    const parent = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 30'])
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [data] = await once(parent.stdout, 'data')
    const pid = Number(String(data))
    const stat = await ended(pid)
    if (stat !== undefined) return { pid, stat }
  }
}

/** What the system says of a process once it is a zombie; `undefined` if it is gone altogether. */
async function ended(pid: number): Promise<string | undefined> {
  for (;;) {
    let stat: string
    try {
      stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    } catch {
      return undefined
    }
    if (stat.includes(') Z ')) return stat
    await new Promise((resolve) => setImmediate(resolve))
  }
}
