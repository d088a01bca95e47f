import { compareBytes } from '@firn/bytes'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { END, MergingCursor, PENDING, POSITIONED } from '../src/index.js'
import { ArrayCursor, compareRecords, drain, type VersionedRecord } from '../src/testing.js'
import { cursorOf, keys, manners, recordLists } from './arbitrary.js'
import { picture, records } from './picture.js'

const runs = LONG ? 20_000 : 500

async function merged(reverse: boolean, ...pictures: string[]): Promise<string> {
  const cursors = pictures.map((p) => new ArrayCursor(records(p), { reverse, stable: false }))
  const cursor = new MergingCursor(cursors, { reverse })
  return picture(await drain(cursor, cursor.first()))
}

/** All records in order, of equal ones that of the first list. */
function model(lists: VersionedRecord[][]): VersionedRecord[] {
  const all: VersionedRecord[] = []
  for (const record of lists.flat()) {
    if (!all.some((other) => compareRecords(other, record) === 0)) all.push(record)
  }
  return all.sort(compareRecords)
}

describe('MergingCursor', () => {
  test.each([
    ['nothing', [], '', ''],
    ['one source', ['a@2=x b@1!'], 'a@2=x b@1!', 'b@1! a@2=x'],
    ['empty sources', ['', 'a@2=x', ''], 'a@2=x', 'a@2=x'],
    [
      'interleaved keys',
      ['a@1=1 c@1=3 e@1=5', 'b@2=2 d@2=4'],
      'a@1=1 b@2=2 c@1=3 d@2=4 e@1=5',
      'e@1=5 d@2=4 c@1=3 b@2=2 a@1=1',
    ],
    [
      'versions of one key, newest first',
      ['a@7=new a@2=old', 'a@5=middle', 'a@9!'],
      'a@9! a@7=new a@5=middle a@2=old',
      'a@2=old a@5=middle a@7=new a@9!',
    ],
    [
      'duplicates, of which the first source wins',
      ['a@5=mine b@1=x', 'a@5=theirs a@4=y', 'a@5=nobody b@1=z c@1=c'],
      'a@5=mine a@4=y b@1=x c@1=c',
      'c@1=c b@1=x a@4=y a@5=mine',
    ],
    [
      'keys that are prefixes of each other',
      ['a@1=1 aaaaaaaaaaaa@1=4', 'aa@1=2 aaaaaaaaaaab@1=5', 'aaa@1=3 b@1=6'],
      'a@1=1 aa@1=2 aaa@1=3 aaaaaaaaaaaa@1=4 aaaaaaaaaaab@1=5 b@1=6',
      'b@1=6 aaaaaaaaaaab@1=5 aaaaaaaaaaaa@1=4 aaa@1=3 aa@1=2 a@1=1',
    ],
  ])('%s', async (_, sources, forward, backward) => {
    expect(await merged(false, ...sources)).toBe(forward)
    expect(await merged(true, ...sources)).toBe(backward)
  })

  test('yields the sorted union of any sources, each record once', async () => {
    await fc.assert(
      fc.asyncProperty(recordLists(), manners, async (lists, how) => {
        const cursor = new MergingCursor(
          lists.map((list) => cursorOf(list, how)),
          how,
        )
        const expected = model(lists)
        if (how.reverse) expected.reverse()
        expect(await drain(cursor, cursor.first())).toEqual(expected)
        expect(cursor.next()).toBe(END)
      }),
      { numRuns: runs },
    )
  })

  test('seeks, any number of times, to where the union says', async () => {
    const target = fc.record({
      key: keys,
      inclusive: fc.boolean(),
      take: fc.integer({ min: 0, max: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(
        recordLists(),
        manners,
        fc.array(target, { maxLength: 5 }),
        async (lists, how, targets) => {
          const cursor = new MergingCursor(
            lists.map((list) => cursorOf(list, how)),
            how,
          )
          const all = model(lists)
          if (how.reverse) all.reverse()
          for (const { key, inclusive, take } of targets) {
            const expected = all.filter((record) => {
              const order = (how.reverse ? -1 : 1) * compareBytes(record.key, key)
              return inclusive ? order >= 0 : order > 0
            })
            let status = cursor.seek(key, 0, key.length, inclusive)
            for (let i = 0; i <= take; i++) {
              while (status === PENDING) status = await cursor.load()
              expect(status).toBe(i < expected.length ? POSITIONED : END)
              if (status === END) break
              expect(cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd)).toEqual(
                expected[i]?.key,
              )
              expect(cursor.timestamp).toBe(expected[i]?.timestamp)
              status = cursor.next()
            }
            while (status === PENDING) status = await cursor.load()
          }
        },
      ),
      { numRuns: runs },
    )
  })

  test.each([
    ['of any length', (i: number) => `a/long/shared/prefix/${i * 7}`.padEnd(20 + (i % 9), '.')],
    ['of one length', (i: number) => `prefix/${String(i * 10_007).padStart(12, '0')}`],
  ])('merges long runs of near keys %s, whose shared part grows and shrinks', async (_, keyOf) => {
    const lists: VersionedRecord[][] = Array.from({ length: 14 }, () => [])
    for (let i = 0; i < 20_000; i++) {
      const key = new TextEncoder().encode(keyOf(i))
      const list = lists[((i * 2654435761) % 4294967296) % 14]
      list?.push({ key, timestamp: 1 + (i % 3), kind: 1, value: key })
    }
    for (const list of lists) list.sort(compareRecords)
    for (const reverse of [false, true]) {
      const cursor = new MergingCursor(
        lists.map((list) => new ArrayCursor(list, { reverse })),
        { reverse },
      )
      const expected = lists.flat().sort(compareRecords)
      if (reverse) expected.reverse()
      const got = await drain(cursor, cursor.first())
      expect(got.length).toBe(expected.length)
      for (const [i, record] of got.entries()) {
        if (compareRecords(record, expected[i] as VersionedRecord) !== 0) expect.fail(`at ${i}`)
      }
    }
  })

  test('loads what several cursors wait for at the same time', async () => {
    let loading = 0
    let most = 0
    const cursors = ['a@1=1', 'b@1=2', 'c@1=3'].map(
      (p) =>
        new ArrayCursor(records(p), {
          waits: () => true,
          onLoad: async () => {
            most = Math.max(most, ++loading)
            await Promise.resolve()
            loading--
          },
        }),
    )
    const cursor = new MergingCursor(cursors)
    expect(cursor.first()).toBe(PENDING)
    expect(picture(await drain(cursor, PENDING))).toBe('a@1=1 b@1=2 c@1=3')
    expect(most).toBe(3)
  })

  test('goes on after a load that failed, from where it was', async () => {
    let failures = 2
    const flaky = new ArrayCursor(records('a@1=1 c@1=3'), {
      waits: () => true,
      onLoad: async () => {
        if (failures-- > 0) throw new Error('no answer')
      },
    })
    const sound = new ArrayCursor(records('b@1=2'), { waits: () => true })
    const cursor = new MergingCursor([flaky, sound])
    expect(cursor.first()).toBe(PENDING)
    await expect(cursor.load()).rejects.toThrow('no answer')
    await expect(cursor.load()).rejects.toThrow('no answer')
    expect(picture(await drain(cursor, await cursor.load()))).toBe('a@1=1 b@1=2 c@1=3')
  })

  test('closes its cursors once, and is stable where all of them are', () => {
    const stable = new ArrayCursor([])
    const other = new ArrayCursor([], { stable: false })
    const cursor = new MergingCursor([stable, other])
    expect(cursor.stable).toBe(false)
    expect(new MergingCursor([stable]).stable).toBe(true)
    cursor.close()
    cursor.close()
    expect([stable.closes, other.closes]).toEqual([1, 1])
  })
})
