import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { systemEnv } from '@firn/env'
import { tempDirectory } from '@firn/test-support'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findS3, HOW_TO_GET_S3, startS3 } from '../src/index.js'

const kind = findS3()
if (kind === undefined && process.env['FIRN_TEST_SERVICES'] === 'required')
  throw new Error(HOW_TO_GET_S3)

async function isGone(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => false,
    () => true,
  )
}

describe('without an S3 server on the PATH', () => {
  test('finds none, and says how to get one', async () => {
    vi.stubEnv('PATH', '/nonexistent')
    expect(findS3()).toBeUndefined()
    await expect(startS3()).rejects.toThrow(/apt-get install .*radosgw/)
    vi.unstubAllEnvs()
  })
})

describe.skipIf(kind === undefined)('startS3', { timeout: 120_000 }, () => {
  let folder = ''
  beforeEach(() => {
    folder = tempDirectory()
    vi.stubEnv('TMPDIR', folder)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  /** Processes that were started with something in the folder, zombies aside. */
  function processes(): string[] {
    if (!fs.existsSync('/proc/self/cmdline')) return []
    return fs.readdirSync('/proc').flatMap((pid) => {
      try {
        const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return command.includes(folder) ? [command] : []
      } catch {
        return []
      }
    })
  }

  test('starts servers beside each other, and leaves nothing of them', async () => {
    const servers = await Promise.all([startS3(), startS3()])
    expect(fs.readdirSync(folder).length).toBe(2)
    for (const server of servers) {
      expect(server.kind).toBe(kind)
      expect(new URL(server.endpoint).hostname).toBe('127.0.0.1')
      const answer = await fetch(server.endpoint)
      expect(await answer.text()).toMatch(/^<\?xml/)
    }
    expect(new Set(servers.map(({ accessKeyId }) => accessKeyId)).size).toBe(2)
    for (const server of servers) {
      await server.stop()
      await server.stop()
      expect(await isGone(server.endpoint)).toBe(true)
    }
    expect(fs.readdirSync(folder)).toEqual([])
    expect(processes()).toEqual([])
  })

  test('ends with the process that started it, even if that is killed', async () => {
    const index = new URL('../dist/index.js', import.meta.url).href
    const program = `
      import { startS3 } from '${index}'
      console.log((await startS3()).endpoint)
      setInterval(() => {}, 1000)
    `
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = (await once(parent.stdout, 'data')) as [Buffer]
    const endpoint = output.toString().trim()
    expect(await isGone(endpoint)).toBe(false)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    while (fs.readdirSync(folder).length > 0) await systemEnv.sleep(20)
    expect(await isGone(endpoint)).toBe(true)
    while (processes().length > 0) await systemEnv.sleep(20)
  })
})
