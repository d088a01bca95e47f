import { expect, test } from 'vitest'
import { open } from '../../src/index.js'

const TYPED = { keys: 'utf8', values: 'json' } as const

test('a page has tuning.pageRows rows at most, and a loop sees them all', async () => {
  await using db = await open('memory:', { tuning: { pageRows: 7 } })
  const table = db.table('t', TYPED)
  const rows = Array.from({ length: 100 }, (_, i): [string, number] => [`k${1000 + i}`, i])
  for (const [key, value] of rows) await table.put(key, value)
  const sizes: number[] = []
  for await (const page of table.scan().pages()) sizes.push(page.length)
  expect(sizes).toEqual([...new Array(14).fill(7), 2])
  const seen: [string, unknown][] = []
  for await (const row of table.scan()) seen.push(row)
  expect(seen).toEqual(rows)
  expect(await table.scan({ reverse: true }).toArray()).toEqual(rows.toReversed())
  await using snapshot = await db.snapshot()
  const pages: string[][] = []
  for await (const page of snapshot.table('t', TYPED).keys({ limit: 8 }).pages()) pages.push(page)
  expect(pages.map(({ length }) => length)).toEqual([7, 1])
})

test.each([0, 10_001, 2.5])('tuning.pageRows: %d is refused', async (pageRows) => {
  await expect(open('memory:', { tuning: { pageRows } })).rejects.toMatchObject({
    code: 'FIRN_INVALID_ARGUMENT',
    message: expect.stringContaining('pageRows'),
  })
})
