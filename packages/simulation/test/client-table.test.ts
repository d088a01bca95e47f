import { open } from '@firn/engine'
import { describe, expect, test } from 'vitest'
import { ClientBatch } from '../src/client/client-batch.js'
import { ClientTable } from '../src/client/client-table.js'
import { ReusedInputs } from '../src/client/reused-inputs.js'
import { ALL_TABLES } from '../src/tables.js'

// Keys of the simulation, in their order as text.
const KEYS = ['a--20', 'a-16', 'a0', 'a10', 'b-1', 'c--2', 'd3', 'd30']

describe.each(ALL_TABLES)('a client of the table $name', ({ name, options }) => {
  const inTable = async (use: (table: ClientTable, batch: ClientBatch) => Promise<void>) => {
    await using db = await open('memory:')
    const inputs = new ReusedInputs()
    const table = new ClientTable(db.table<unknown, unknown>(name, options), options, inputs)
    await use(table, new ClientBatch(db.batch(), inputs))
  }

  test('reads what it wrote as text, in the order of text', () =>
    inTable(async (table, batch) => {
      for (const key of KEYS.slice(0, 4)) await table.put(key, `value of ${key}`)
      for (const key of KEYS.slice(4)) batch.put(table, key, `value of ${key}`)
      await batch.write({ durability: 'durable' })
      const rows = KEYS.map((key) => [key, `value of ${key}`])
      expect(await table.scan().toArray()).toEqual(rows)
      expect(await table.scan({ reverse: true, limit: 2 }).toArray()).toEqual(
        rows.slice(-2).reverse(),
      )
      expect(await table.getMany(['a0', 'x', 'd3'])).toEqual([
        rows[2]?.[1],
        undefined,
        rows[6]?.[1],
      ])
      expect(await table.get('a-16')).toBe('value of a-16')
      await table.delete('a-16')
      expect(table.getSync('a-16')).toBeUndefined()
    }))

  test('has the ranges and prefixes of text', () =>
    inTable(async (table) => {
      for (const key of KEYS) await table.put(key, key)
      expect(await table.keys({ prefix: 'a' }).toArray()).toEqual(KEYS.slice(0, 4))
      expect(await table.keys({ prefix: 'a-' }).toArray()).toEqual(KEYS.slice(0, 2))
      expect(await table.values({ gt: 'a0', lte: 'c--2' }).toArray()).toEqual(KEYS.slice(3, 6))
      expect(await table.count({ gte: 'd3' })).toBe(2)
      expect(await table.has('d30')).toBe(true)
    }))
})
