import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDirectory } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { TINY } from '../support/locations.js'

const TYPED = { keys: 'utf8', values: 'utf8' } as const

async function fill(db: Database, rows: number, from = 0): Promise<void> {
  const table = db.table('t', TYPED)
  for (let i = from; i < from + rows; i++) {
    await table.put(`key ${String(i).padStart(5, '0')}`, `value ${i} ${'x'.repeat(60)}`)
  }
}

describe('36: a poison block', () => {
  test('other keys stay readable, compaction leaves the file alone and says so', async () => {
    const directory = tempDirectory()
    const location = `file:${directory}`
    const options = { ...TINY, compaction: 'off' as const, memtableBytes: 16_384 }
    {
      await using db = await open(location, {
        ...options,
        tuning: { ...TINY.tuning, targetFileBytes: 65_536 },
      })
      await fill(db, 200)
    }
    const [folder = ''] = readdirSync(join(directory, 'sst'))
    const [name = ''] = readdirSync(join(directory, 'sst', folder)).sort()
    const path = join(directory, 'sst', folder, name)
    const bytes = readFileSync(path)
    bytes[40] = (bytes[40] ?? 0) ^ 0x10
    writeFileSync(path, bytes)

    const warnings: string[] = []
    const db = await open(location, {
      ...TINY,
      logger: { warn: (message) => warnings.push(message) },
    })
    const table = db.table<string, string>('t')
    let damaged = 0
    let readable = 0
    for (let i = 0; i < 200; i++) {
      const value = await table.get(`key ${String(i).padStart(5, '0')}`).catch((error) => {
        expect(error).toMatchObject({
          code: 'FIRN_CORRUPTION',
          message: expect.stringContaining(name.slice(0, -4)),
        })
        damaged++
      })
      if (value !== undefined) {
        expect(value).toBe(`value ${i} ${'x'.repeat(60)}`)
        readable++
      }
    }
    expect(damaged).toBeGreaterThan(0)
    expect(readable).toBeGreaterThan(150)
    await fill(db, 200)
    await db.compact()
    expect(warnings).toContain('compaction leaves a damaged file alone')
    // What is newer than the damage is found before it.
    expect(await table.get('key 00100')).toBeDefined()
    await db.close()
  })
})
