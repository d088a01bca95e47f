import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { LONG, tempDirectory } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { FileCommitLog } from '../src/file.js'
import { readAll } from './file-log.js'

const KILLS = LONG ? 100 : 8
const WRITER = path.join(import.meta.dirname, 'crashing-writer.mjs')

describe('a writer that is killed', () => {
  test('leaves every acknowledged entry, in order, and nothing half', async () => {
    const directory = tempDirectory()
    let floor = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = spawn(process.execPath, [WRITER, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let acknowledged = 0
      let text = ''
      // Killed at a moment that differs: after some number of acknowledgements.
      const target = floor + 20 + ((kill * 7919) % 300)
      writer.stdout.on('data', (data) => {
        text += String(data)
        const lines = text.split('\n')
        text = lines.pop() as string
        const last = lines.filter((at) => /^\d+$/.test(at)).at(-1)
        if (last !== undefined) acknowledged = Number(last)
        if (acknowledged >= target) writer.kill('SIGKILL')
      })
      await once(writer, 'close')
      expect(acknowledged).toBeGreaterThanOrEqual(target)
      const log = await FileCommitLog.open(directory, { mode: kill % 2 === 0 ? 'read' : 'write' })
      const entries = await readAll(log)
      await log.close()
      expect(entries.length).toBeGreaterThanOrEqual(acknowledged)
      for (const [i, { version, timestamp, payload }] of entries.entries()) {
        expect(version).toBe(i + 1)
        expect(timestamp).toBe(version * 10)
        if (payload === undefined) continue
        expect(payload).toHaveLength((version * 37) % 900)
        expect(payload.every((byte) => byte === version % 256)).toBe(true)
      }
      floor = entries.length
    }
  }, 600_000)
})
