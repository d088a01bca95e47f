import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

let db: Database

beforeEach(async () => {
  db = await open('memory:')
})

afterEach(async () => {
  await db.close()
})

describe('tables', () => {
  test('come into being at their first write', async () => {
    const table = db.table('t', { keys: 'utf8', values: 'utf8', history: 'none' })
    expect(await table.get('k')).toBeUndefined()
    expect(await table.scan().toArray()).toEqual([])
    expect(await db.tables()).toEqual([])
    await table.put('k', 'v')
    expect(await db.tables()).toMatchObject([
      { name: 't', keys: 'utf8', values: 'utf8', history: 'none', compression: 'lz4' },
    ])
  })

  test('options that contradict those a table has are an error', async () => {
    await db.table('t', { keys: 'utf8', values: 'json' }).put('k', 1)
    for (const options of [
      { keys: 'bytes' },
      { values: 'utf8' },
      { history: 'none' },
      { compression: 'none' },
    ] as const) {
      expect(() => db.table('t', options as never)).toThrow(
        expect.objectContaining({ code: 'FIRN_TABLE_OPTIONS' }),
      )
    }
    expect(await db.table<string, number>('t').get('k')).toBe(1)
  })

  test.each(['', '../up', 'a/b', 'a\0b', 'a..b', '.', '-x', 'x'.repeat(129), 'é', 7])(
    '39: %j is no name',
    (name) => {
      expect(() => db.table(name as string)).toThrow(
        expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' }),
      )
    },
  )

  test('38: __proto__, constructor and keys of every kind simply work', async () => {
    const table = db.table('constructor', { keys: 'utf8', values: 'json' })
    for (const key of ['__proto__', '', 'toString', '\0', '\u{10ffff}']) {
      await table.put(key, { key })
      expect(await table.get(key)).toEqual({ key })
    }
    expect((await table.keys().toArray()).sort()).toEqual(
      ['', '\0', '__proto__', 'toString', '\u{10ffff}'].sort(),
    )
    expect((await db.tables()).map(({ name }) => name)).toEqual(['constructor'])
  })

  test('a dropped table is gone, and can be made again, empty', async () => {
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    await table.put('k', 'v')
    await db.dropTable('t')
    expect(await db.tables()).toEqual([])
    expect(await table.get('k')).toBeUndefined()
    await table.put('other', 'v')
    expect(await table.keys().toArray()).toEqual(['other'])
    await expect(db.dropTable('absent')).rejects.toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
  })

  test('bytes looks past the encodings', async () => {
    const table = db.table('t', { keys: 'utf8', values: 'json' })
    await table.bytes.put(new TextEncoder().encode('k'), new TextEncoder().encode('[1]'))
    expect(await table.get('k')).toEqual([1])
    expect(await db.tables()).toMatchObject([{ keys: 'utf8', values: 'json' }])
    expect(await table.bytes.scan().toArray()).toEqual([
      [new TextEncoder().encode('k'), new TextEncoder().encode('[1]')],
    ])
  })
})

describe('limits and wrong input', () => {
  test('38: keys and values over the limits are refused, at the limits they work', async () => {
    const table = db.table('t')
    const key = new Uint8Array(65_531).fill(1)
    await table.put(key, new Uint8Array(0))
    expect(await table.get(key)).toEqual(new Uint8Array(0))
    await expect(table.put(new Uint8Array(65_532), key)).rejects.toMatchObject({
      code: 'FIRN_INVALID_ARGUMENT',
      message: expect.stringContaining('65532'),
    })
    await expect(table.get(new Uint8Array(65_532))).rejects.toThrow(/65532/)
  })

  test('38: wrong types are refused with what was expected', async () => {
    const bytes = db.table('b')
    await expect(bytes.put('text' as never, new Uint8Array(1))).rejects.toThrow(
      /expected a Uint8Array/,
    )
    const text = db.table('t', { keys: 'utf8', values: 'json' })
    await expect(text.put(5 as never, 1)).rejects.toThrow(/expected a string/)
    await expect(text.put('k', undefined as never)).rejects.toThrow(/undefined/)
    await expect(text.put('k', (() => 1) as never)).rejects.toThrow(/no JSON form/)
    const circular: { self?: unknown } = {}
    circular.self = circular
    for (const value of [circular, 1n]) {
      await expect(text.put('k', value as never)).rejects.toMatchObject({
        code: 'FIRN_INVALID_ARGUMENT',
        message: expect.stringMatching(/no JSON form/),
      })
    }
    await expect(text.put('k', 1, { durability: 'later' as never })).rejects.toThrow(/durability/)
    expect(() => text.scan({ limit: -1 })).toThrow(/limit/)
    await expect(text.get('k', { at: new Date(Number.NaN) })).rejects.toThrow(/at must be/)
    expect(() => text.scan({ prefix: 'a', gt: 'b' })).toThrow(/prefix/)
  })

  test('43: messages do not hold keys or values', async () => {
    const table = db.table('t', { keys: 'utf8', values: 'json' })
    await table.bytes.put(utf8('k'), utf8('secret: no JSON'))
    for (const attempt of [
      () => table.get('k'),
      () => table.scan().toArray(),
      () => table.put(`secret${'x'.repeat(70_000)}`, 1),
      () => table.put('k', (() => 'secret') as never),
      () => table.put(['secret'] as never, 1),
    ]) {
      const error: unknown = await attempt().catch((error: unknown) => error)
      expect(error).toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret')
    }
  })

  test('what is returned and what was given are the caller’s to change', async () => {
    const table = db.table('t')
    const key = Uint8Array.of(1)
    const value = Uint8Array.of(1, 2, 3)
    await table.put(key, value)
    value.fill(9)
    const got = await table.get(key)
    expect(got).toEqual(Uint8Array.of(1, 2, 3))
    got?.fill(7)
    for (const [k, v] of await table.scan().toArray()) {
      k.fill(8)
      v.fill(8)
    }
    await db.compact()
    for (const [k, v] of await table.scan().toArray()) {
      expect([...k, ...v]).toEqual([1, 1, 2, 3])
      k.fill(8)
      v.fill(8)
    }
    expect(await table.scan().toArray()).toEqual([[key, Uint8Array.of(1, 2, 3)]])
  })
})

describe('aborts', () => {
  test('42: an aborted signal rejects with its reason', async () => {
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    await table.put('k', 'v')
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(table.get('k', { signal })).rejects.toBe(reason)
    await expect(table.getMany(['k'], { signal })).rejects.toBe(reason)
    await expect(table.put('k', 'w', { signal })).rejects.toBe(reason)
    await expect(table.scan({ signal }).toArray()).rejects.toBe(reason)
    await expect(db.snapshot({ signal })).rejects.toBe(reason)
    await expect(db.batch().put(table, 'k', 'w').write({ signal })).rejects.toBe(reason)
    expect(await table.get('k')).toBe('v')
  })

  test('42: a scan stops at the signal', async () => {
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    const batch = db.batch()
    for (let i = 0; i < 5000; i++) batch.put(table, String(i).padStart(5, '0'), 'v')
    await batch.write()
    const controller = new AbortController()
    let rows = 0
    const scan = async (): Promise<void> => {
      for await (const _row of table.scan({ signal: controller.signal })) {
        if (++rows === 100) controller.abort()
      }
    }
    await expect(scan()).rejects.toMatchObject({ name: 'AbortError' })
    expect(rows).toBeLessThan(5000)
  })
})

test('a batch that comes while its table is dropped is in the old table or in the new one', async () => {
  await using db = await open('memory:')
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  // So many turns after the drop was asked for.
  for (let turns = 0; turns < 40; turns++) {
    await table.put('old', 'v')
    const dropping = db.dropTable('t')
    for (let turn = 0; turn < turns; turn++) await undefined
    const batch = db.batch().put(table, 'new', 'v')
    const [drop, commit] = await Promise.all([dropping, batch.write()])
    const expected = commit.version > drop.version ? 'v' : undefined
    expect([turns, await table.get('new')]).toEqual([turns, expected])
  }
})

test('a write that follows a drop makes the table anew', async () => {
  await using db = await open('memory:')
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  await table.put('old', 'v')
  const dropped = db.dropTable('t')
  const writes = Array.from({ length: 6 }, (_, i) => table.put(`new ${i}`, 'v'))
  const drop = await dropped
  const commits = await Promise.all(writes)
  for (const [i, commit] of commits.entries()) {
    const expected = commit.version > drop.version ? 'v' : undefined
    expect(await table.get(`new ${i}`)).toBe(expected)
  }
  expect(await table.get('old')).toBeUndefined()
})
