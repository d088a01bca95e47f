import { describe, expect, test } from 'vitest'
import { open } from '../../src/index.js'
import { TINY } from '../support/locations.js'

const TYPED = { keys: 'utf8', values: 'utf8' } as const

describe('history', () => {
  test("19: what history: 'none' let go is refused, not answered wrongly", async () => {
    await using db = await open('memory:', TINY)
    const table = db.table('t', { ...TYPED, history: 'none' })
    const first = await table.put('k', 'old')
    await table.put('k', 'new')
    for (let i = 0; i < 200; i++) await table.put(`k${i % 20}`, 'x'.repeat(50))
    await db.compact()
    await expect(table.get('k', { at: { version: first.version } })).rejects.toMatchObject({
      code: 'FIRN_SNAPSHOT_EXPIRED',
    })
    expect(await table.get('k')).toBe('new')
  })

  test('19: a snapshot keeps what it saw through compactions that let it go', async () => {
    await using db = await open('memory:', TINY)
    const table = db.table('t', { ...TYPED, history: 'none' })
    await table.put('k', 'old')
    await using snapshot = await db.snapshot()
    for (let i = 0; i < 200; i++) await table.put(i % 2 ? 'k' : `k${i % 20}`, `new ${i}`)
    await db.compact()
    const before = snapshot.table<string, string>('t')
    expect(await before.scan().toArray()).toEqual([['k', 'old']])
    expect(await before.get('k')).toBe('old')
    expect(await table.get('k')).toBe('new 199')
  })

  test('versions to come and times to come', async () => {
    await using db = await open('memory:')
    const table = db.table('t', TYPED)
    const { version } = await table.put('k', 'v')
    await expect(table.get('k', { at: { version: version + 1 } })).rejects.toMatchObject({
      code: 'FIRN_VERSION_NOT_FOUND',
    })
    expect(await table.get('k', { at: new Date('2200-01-01') })).toBe('v')
    expect(await table.get('k', { at: new Date('2000-01-01') })).toBeUndefined()
    expect(await table.get('k', { at: { version: 0 } })).toBeUndefined()
  })

  test('a snapshot that expired says so at every read, not only at the first', async () => {
    await using db = await open('memory:', TINY)
    const table = db.table('t', { ...TYPED, history: 'none' })
    const at = await table.put('k', 'old')
    await table.put('k', 'new')
    for (let i = 0; i < 200; i++) await table.put(`k${i % 20}`, 'x'.repeat(50))
    await db.compact()
    await using snapshot = await db.snapshot({ at: { version: at.version } })
    const old = snapshot.table('t', TYPED)
    for (const read of [
      () => old.get('k'),
      () => old.get('k'),
      () => old.has('k'),
      () => old.getMany(['k']),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: 'FIRN_SNAPSHOT_EXPIRED' })
    }
  })
})
