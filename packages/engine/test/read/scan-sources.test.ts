import { expect, test } from 'vitest'
import { DrawnDatabase, picture } from '../support/pictures.js'

// The rows of a scan, each with the memtable or the file in which it was found.

test('each row comes from where its newest version is, and a deleted one from nowhere', async () => {
  const database = await DrawnDatabase.open()
  await database.run(`
    put a=1 b=1 c=1
    fill m
    large c x
    put a=2
    delete b
  `)
  expect(database.view()).toBe(
    picture(`
      active  a@4=2 b@5!
      L0      [c @3] [x @3]
      L0      [a-m @1-2]
    `),
  )
  expect(await database.scan()).toBe(
    picture(`
      a@4=2      active
      c@3=large  L0 [c @3]
      m@2=fill   L0 [a-m @1-2]
      x@3=large  L0 [x @3]
    `),
  )
  expect(await database.rows()).toBe('a=2 c=large m=fill x=large')
})

test('a scan of an earlier commit finds its rows wherever they are now', async () => {
  const database = await DrawnDatabase.open()
  await database.run(`
    put a=1 b=1
    put a=2
    fill m
    delete a
  `)
  const first = picture(`
    a@1=1  L0 [a-m @1-3]
    b@1=1  L0 [a-m @1-3]
  `)
  expect(await database.scan(1)).toBe(first)
  expect(await database.rows(1)).toBe('a=1 b=1')
  expect(await database.scan()).toBe(
    picture(`
      b@1=1     L0 [a-m @1-3]
      m@3=fill  L0 [a-m @1-3]
    `),
  )
  await database.run('compact')
  expect(await database.scan(1)).toBe(first.replaceAll('L0 [a-m @1-3]', 'L1 [a-m @1-4]'))
  expect(await database.rows(1)).toBe('a=1 b=1')
})

test('a row in a file hides an older one in the memtable above it', async () => {
  const database = await DrawnDatabase.open()
  await database.run(`
    put a=1
    large a
    put b=2
  `)
  expect(await database.scan()).toBe(
    picture(`
      a@2=large  L0 [a @2]
      b@3=2      active
    `),
  )
  await database.run('put a=3')
  expect(await database.scan()).toBe(
    picture(`
      a@4=3  active
      b@3=2  active
    `),
  )
  expect(await database.rows()).toBe('a=3 b=2')
})
