import { MemoryObjectStore } from '@firn/object-store'
import { expect, test } from 'vitest'
import { hooked } from '../support/hooked-store.js'
import { DrawnDatabase, picture } from '../support/pictures.js'

// What reads of a table look at, newest first, drawn after each step of a script.

test('commits gather in the active memtable, by key, the newest version of each first', async () => {
  const database = await DrawnDatabase.open()
  await database.run(`
    put b=1 a=1
    put a=2
    delete b
  `)
  expect(database.view()).toBe(picture('active  a@2=2 a@1=1 b@3! b@1=1'))
})

test('a full memtable becomes a run of level 0, and another one takes its place', async () => {
  const database = await DrawnDatabase.open()
  await database.run(`
    put a=1
    fill m
    put c=2
    fill x
    put a=3
  `)
  expect(database.view()).toBe(
    picture(`
      active  a@5=3
      L0      [c-x @3-4]
      L0      [a-m @1-2]
    `),
  )
})

test('a memtable that is sealed is read until its file is there', async () => {
  const { store, before } = hooked(new MemoryObjectStore())
  const database = await DrawnDatabase.open(store)
  let meanwhile = ''
  before(async () => {
    await database.run('put a=2')
    meanwhile = database.view()
  })
  await database.run(`
    put a=1
    fill m
  `)
  expect(meanwhile).toBe(
    picture(`
      active  a@3=2
      sealed  a@1=1 m@2=fill
    `),
  )
  expect(database.view()).toBe(
    picture(`
      active  a@3=2
      L0      [a-m @1-2]
    `),
  )
})

test('a commit that is too large for the log is a run of level 0 from the start', async () => {
  const database = await DrawnDatabase.open()
  await database.run(`
    put a=1
    large a x
    put a=2
  `)
  // Its records lie in time between those of the memtable: what is found first need not be newest.
  expect(database.view()).toBe(
    picture(`
      active  a@3=2 a@1=1
      L0      [a @2] [x @2]
    `),
  )
})

test('a compaction merges memtable and level 0 into files of level 1, which do not overlap', async () => {
  const database = await DrawnDatabase.open()
  await database.run(`
    put a=1
    fill m
    large c x
    put a=2
    fill n
    put a=3
    compact
    put b=4
  `)
  expect(database.view()).toBe(
    picture(`
      active  b@7=4
      L1      [a-m @1-6] [n @5] [x @3]
    `),
  )
})
