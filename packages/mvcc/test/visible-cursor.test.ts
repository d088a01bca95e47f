import { compareBytes } from '@firn/bytes'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  END,
  KIND_DELETE,
  MergingCursor,
  PENDING,
  POSITIONED,
  VisibleCursor,
} from '../src/index.js'
import { ArrayCursor, drain, type VersionedRecord } from '../src/testing.js'
import { cursorOf, keys, manners, recordLists } from './arbitrary.js'
import { picture, records } from './picture.js'

/** After how many records that aren't seen it pauses. */
const pauses = fc.constantFrom(0, 1, 3, Number.POSITIVE_INFINITY)

const runs = LONG ? 20_000 : 500

/** Of each key the newest version at or before the timestamp, unless it is a delete. */
function model(list: readonly VersionedRecord[], timestamp: number): VersionedRecord[] {
  const newest = list.filter(
    (record) =>
      record.timestamp <= timestamp &&
      !list.some(
        (other) =>
          compareBytes(other.key, record.key) === 0 &&
          other.timestamp <= timestamp &&
          other.timestamp > record.timestamp,
      ),
  )
  return newest.filter((record) => record.kind !== KIND_DELETE)
}

describe('VisibleCursor', () => {
  const history = 'a@9=3 a@5! a@2=1 b@4! c@7=x d@8! d@3=y e@1=z'
  test.each([
    [99, 'a@9=3 c@7=x e@1=z'],
    [9, 'a@9=3 c@7=x e@1=z'],
    [8, 'c@7=x e@1=z'],
    [7, 'c@7=x d@3=y e@1=z'],
    [4, 'a@2=1 d@3=y e@1=z'],
    [2, 'a@2=1 e@1=z'],
    [0, ''],
  ])('at %i', async (timestamp, expected) => {
    for (const stable of [true, false]) {
      const forward = new VisibleCursor(new ArrayCursor(records(history), { stable }), {
        timestamp,
      })
      expect(picture(await drain(forward, forward.first()))).toBe(expected)
      const below = new ArrayCursor(records(history), { stable, reverse: true })
      const backward = new VisibleCursor(below, { timestamp, reverse: true })
      const reversed = expected.split(' ').reverse().join(' ')
      expect(picture(await drain(backward, backward.first()))).toBe(reversed)
    }
  })

  test.each([false, true])(
    'pauses among many records that are not seen, reverse %s',
    async (reverse) => {
      const dead = Array.from({ length: 1000 }, (_, i) => `k${String(i).padStart(4, '0')}@2!`)
      const below = new ArrayCursor(records([...dead, 'z@1=z'].join(' ')), { reverse })
      const cursor = new VisibleCursor(below, { reverse, mostUnseen: 100 })
      let pauses = 0
      let rows = 0
      for (let status = cursor.first(); status !== END; ) {
        if (status === PENDING) pauses++
        else rows++
        status = status === PENDING ? await cursor.load() : cursor.next()
      }
      expect([pauses, rows]).toEqual([9, 1])
    },
  )

  test('shows merge operands as they are', async () => {
    const cursor = new VisibleCursor(new ArrayCursor(records('a@3+x a@1=y b@2+z')))
    expect(picture(await drain(cursor, cursor.first()))).toBe('a@3+x b@2+z')
  })

  test('shows what the model shows, over any merge, at any time, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(
        recordLists(),
        manners,
        fc.integer({ min: 0, max: 13 }),
        pauses,
        async (lists, how, timestamp, mostUnseen) => {
          const merge = new MergingCursor(
            lists.map((list) => cursorOf(list, how)),
            how,
          )
          const cursor = new VisibleCursor(merge, { ...how, timestamp, mostUnseen })
          const whole = new MergingCursor(lists.map((list) => new ArrayCursor(list)))
          const expected = model(await drain(whole, whole.first()), timestamp)
          if (how.reverse) expected.reverse()
          expect(await drain(cursor, cursor.first())).toEqual(expected)
          expect(cursor.next()).toBe(END)
        },
      ),
      { numRuns: runs },
    )
  })

  test('seeks to visible keys, from anywhere', async () => {
    const target = fc.record({ key: keys, inclusive: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        recordLists({ sources: 1, maxTimestamp: 6 }),
        manners,
        fc.integer({ min: 0, max: 7 }),
        fc.array(target, { maxLength: 6 }),
        pauses,
        async ([list = []], how, timestamp, targets, mostUnseen) => {
          const below = cursorOf(list, how)
          const cursor = new VisibleCursor(below, { ...how, timestamp, mostUnseen })
          const visible = model(list, timestamp)
          if (how.reverse) visible.reverse()
          for (const { key, inclusive } of targets) {
            const expected = visible.filter((record) => {
              const order = (how.reverse ? -1 : 1) * compareBytes(record.key, key)
              return inclusive ? order >= 0 : order > 0
            })
            let status = cursor.seek(key, 0, key.length, inclusive)
            // Two rows are read of each, so that the next seek starts in the middle of things.
            for (const record of expected.slice(0, 2)) {
              while (status === PENDING) status = await cursor.load()
              expect(status).toBe(POSITIONED)
              expect(cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd)).toEqual(record.key)
              expect(cursor.valueBytes.slice(cursor.valueStart, cursor.valueEnd)).toEqual(
                record.value,
              )
              status = cursor.next()
            }
            while (status === PENDING) status = await cursor.load()
          }
        },
      ),
      { numRuns: runs },
    )
  })

  test('is as stable as the cursor below, in both directions, and closes it', () => {
    for (const reverse of [false, true]) {
      for (const stable of [false, true]) {
        const below = new ArrayCursor([], { stable, reverse })
        const cursor = new VisibleCursor(below, { reverse })
        expect(cursor.stable).toBe(stable)
        cursor.close()
        expect(below.closes).toBe(1)
      }
    }
  })

  test('reads no key again that it has moved on from: its owner may overwrite it', async () => {
    await fc.assert(
      fc.asyncProperty(recordLists(), manners, pauses, async (lists, manner, mostUnseen) => {
        const how = { ...manner, stable: true }
        const whole = new MergingCursor(lists.map((list) => new ArrayCursor(list)))
        const expected = model(await drain(whole, whole.first()), 9)
        if (how.reverse) expected.reverse()
        const own = lists.map((list) =>
          list.map((record) => ({ ...record, key: record.key.slice() })),
        )
        const merge = new MergingCursor(
          own.map((list) => cursorOf(list, how)),
          how,
        )
        const cursor = new VisibleCursor(merge, { ...how, timestamp: 9, mostUnseen })
        const rows: Uint8Array[] = []
        let status = cursor.first()
        while (status !== END) {
          if (status === POSITIONED) {
            const view = cursor.keyBytes.subarray(cursor.keyStart, cursor.keyEnd)
            rows.push(view.slice())
            status = cursor.next()
            view.fill(0x55)
          } else status = await cursor.load()
        }
        expect(rows).toEqual(expected.map(({ key }) => key))
      }),
      { numRuns: runs },
    )
  })

  test('hands out arrays that stay as they are, where it says that it is stable', () => {
    for (const reverse of [false, true]) {
      const below = new ArrayCursor(records('a@2=new a@1=old b@3=x'), { reverse })
      const cursor = new VisibleCursor(below, { reverse })
      const views: Uint8Array[] = []
      for (let s = cursor.first(); s === POSITIONED; s = cursor.next()) {
        views.push(cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd))
      }
      const values = views.map((view) => new TextDecoder().decode(view))
      expect(values).toEqual(reverse ? ['x', 'new'] : ['new', 'x'])
    }
  })
})
