import { CorruptionError } from '@firn/env'
import { describe, expect, test } from 'vitest'
import {
  applyEntry,
  conflictOf,
  type DatabaseState,
  type Edit,
  emptyState,
  encodeEdits,
  type FileMeta,
  liveFiles,
  RecordsWriter,
} from '../src/index.js'
import { fileMeta, INCARNATION, newEntry, tableOptions, token } from './fixtures.js'

/** The state after commits of these edits, one entry each, the database's creation before them. */
function stateAfter(...commits: Edit[][]): DatabaseState {
  let state = apply(emptyState(), [{ type: 'create-database', incarnation: INCARNATION }])
  for (const edits of commits) state = apply(state, edits)
  return state
}

function apply(state: DatabaseState, edits: Edit[]): DatabaseState {
  const version = state.version + 1
  return applyEntry(state, { ...newEntry(version, encodeEdits(edits)), timestamp: version * 100 })
}

const table = (id: number, name = `t${id}`): Edit => ({
  type: 'create-table',
  id,
  name,
  options: tableOptions(),
})
const add = (...ids: number[]): Edit => ({
  type: 'add-files',
  files: ids.map((id) => fileMeta({ id, base: id })),
})
const name = (id: number, base = id) => `${base}-${token(id)}`
const compact = (
  removed: number[],
  added: FileMeta[],
  of = 1,
  floors: { table: number; timestamp: number }[] = [],
): Edit => ({
  type: 'compact',
  removed: removed.map((id) => name(id)),
  added: added.map((file) => ({ table: of, file })),
  floors,
})
const at = (id: number, level: number, from: string, to: string) =>
  fileMeta({ id, base: id, level, from, to, min: 1, max: 900 })

/** Draws a state as text. */
function draw(state: DatabaseState): string[] {
  const short = (file: FileMeta) => Number(file.id.split('-')[0])
  const lines = [`version ${state.version}, flushed ${state.flushedThrough}`]
  if (state.level0.length > 0) {
    lines.push(`L0 ${state.level0.map((file) => `${short(file)}@${file.maxTimestamp}`).join(' ')}`)
  }
  for (const { id, name, levels, historyFloor } of state.tables.values()) {
    lines.push(`table ${id} ${name}${historyFloor > 0 ? ` floor ${historyFloor}` : ''}`)
    for (const [i, files] of levels.entries()) {
      lines.push(`  L${i + 1} ${files.map(short).join(' ')}`)
    }
  }
  return lines
}

describe('the state of a database', () => {
  test('is the fold over its log', () => {
    const state = stateAfter(
      [table(1), table(2)],
      [add(11)],
      [add(13, 12)],
      [{ type: 'flush', from: 0, through: 3, files: [fileMeta({ id: 14, base: 14, max: 350 })] }],
      [compact([11], [at(21, 1, 'm', 'p'), at(20, 1, 'a', 'f')])],
      [compact([20], [at(20, 2, 'a', 'f')])],
      [compact([], [at(30, 3, 'a', 'z')], 2, [{ table: 2, timestamp: 250 }])],
    )
    expect(draw(state)).toEqual([
      'version 8, flushed 3',
      'L0 13@400 12@400 14@350',
      'table 1 t1',
      '  L1 21',
      '  L2 20',
      'table 2 t2 floor 250',
      '  L1 ',
      '  L2 ',
      '  L3 30',
    ])
    expect([...liveFiles(state)].map(({ id }) => id)).toEqual(
      [13, 12, 14, 21, 20, 30].map((id) => name(id)),
    )
    expect(state.incarnation).toBe(INCARNATION)
    expect(state.nextTableId).toBe(3)
  })

  test('gives the files of a commit the timestamp of its entry', () => {
    const [file] = stateAfter([add(1)]).level0
    expect(file).toMatchObject({ minTimestamp: 200, maxTimestamp: 200 })
  })

  test('takes an entry of records alone in constant time, sharing everything', () => {
    const before = stateAfter([table(1), add(...Array.from({ length: 500 }, (_, i) => i + 1))])
    const writer = new RecordsWriter()
    for (let i = 0; i < 100; i++) writer.add(1, Uint8Array.of(i), Uint8Array.of(i))
    const next = applyEntry(before, newEntry(before.version + 1, writer.take()))
    for (const field of ['tables', 'tableIds', 'level0', 'pins'] as const) {
      expect(next[field]).toBe(before[field])
    }
    expect(next.version).toBe(before.version + 1)
  })

  test('shares the levels that a compaction does not touch, by identity', () => {
    const before = stateAfter(
      [table(1), table(2)],
      [compact([], [at(10, 1, 'a', 'b'), at(11, 2, 'a', 'b')])],
      [compact([], [at(12, 1, 'a', 'b')], 2)],
    )
    const next = apply(before, [compact([10], [at(13, 1, 'c', 'd')])])
    expect(next.tables.get(2)).toBe(before.tables.get(2))
    expect(next.tables.get(1)?.levels[1]).toBe(before.tables.get(1)?.levels[1])
    expect(next.level0).toBe(before.level0)
    expect(draw(before)).toContain('  L1 10')
  })

  test('drops a table with its levels; one of its name later is another', () => {
    const dropped = stateAfter(
      [table(1, 'users')],
      [add(5), compact([], [at(10, 1, 'a', 'b')])],
      [{ type: 'drop-table', id: 1 }],
    )
    expect([...liveFiles(dropped)].map(({ id }) => id)).toEqual([name(5)])
    expect(dropped.tableIds.has('users')).toBe(false)
    expect(conflictOf(dropped, [table(1, 'users')])).toContain('used before')
    const again = apply(dropped, [table(2, 'users')])
    expect(again.tableIds.get('users')).toBe(2)
    expect(again.tables.get(2)?.levels).toEqual([])
  })

  test('alters a table, raises the floor, pins and unpins, keeps the newest checkpoint', () => {
    const pin = { name: 'p', version: 2, timestamp: 200 }
    let state = stateAfter(
      [table(1)],
      [{ type: 'alter-table', id: 1, options: tableOptions({ history: 'all' }) }],
      [{ type: 'gc-floor', version: 2 }],
      [{ type: 'pin', pin }],
      [{ type: 'pin', pin: { ...pin, expiresAt: 5 } }],
      [{ type: 'checkpoint', version: 6, key: 'six' }],
      [{ type: 'checkpoint', version: 5, key: 'five' }],
    )
    expect(state.tables.get(1)?.options.history).toBe('all')
    expect(state.gcFloor).toBe(2)
    expect(state.pins.get('p')).toEqual({ ...pin, expiresAt: 5 })
    expect(state.checkpoint).toEqual({ version: 6, key: 'six' })
    state = apply(state, [{ type: 'unpin', name: 'p' }])
    expect(state.pins.size).toBe(0)
  })

  test('sees what edits before it in the same entry did', () => {
    const state = stateAfter([
      table(1),
      compact([], [at(10, 1, 'a', 'b')]),
      { type: 'drop-table', id: 1 },
    ])
    expect(state.tables.size).toBe(0)
    expect(conflictOf(stateAfter(), [table(1, 'x'), table(2, 'x')])).toContain('name exists')
  })
})

describe('an entry that can not follow', () => {
  const state = stateAfter([table(1)])
  const next = newEntry(3, encodeEdits([table(2)]))

  test.each([
    ['skips a version', { ...next, version: 4 }],
    ['repeats one', { ...next, version: 2 }],
    ['goes back in time', { ...next, timestamp: state.timestamp }],
    ['7, 8: is a tombstone', { ...next, payload: undefined }],
    ['does not apply', { ...next, payload: encodeEdits([table(1)]) }],
    [
      'creates the database again',
      { ...next, payload: encodeEdits([{ type: 'create-database', incarnation: INCARNATION }]) },
    ],
    ['is damaged', { ...next, payload: Uint8Array.of(1, 3, 9) }],
  ])('is corruption where it %s', (_, entry) => {
    expect(() => applyEntry(state, entry)).toThrow(CorruptionError)
  })

  test('is corruption where the first one does not create the database', () => {
    expect(() => applyEntry(emptyState(), newEntry(1, encodeEdits([table(1)])))).toThrow(
      CorruptionError,
    )
    expect(() => applyEntry(emptyState(), newEntry(1, new Uint8Array(0)))).toThrow(CorruptionError)
  })

  test('may hold nothing at all: a version without a change', () => {
    expect(applyEntry(state, newEntry(3, new Uint8Array(0))).version).toBe(3)
  })
})

describe('edits conflict', () => {
  test('40: or apply, however many files a compaction adds', () => {
    const files = Array.from({ length: 150_000 }, (_, i) =>
      at(i, 1, String(1_000_000 + 2 * i), String(1_000_001 + 2 * i)),
    )
    const state = stateAfter([table(1)])
    const edits = [compact([], files)]
    const entry = newEntry(state.version + 1, new Uint8Array(1))
    expect(applyEntry(state, entry, edits).tables.get(1)?.levels[0]?.length).toBe(files.length)
  })

  const base = stateAfter(
    [table(1), table(2)],
    [add(11), compact([], [at(20, 1, 'a', 'f'), at(21, 1, 'm', 'p')])],
    [{ type: 'flush', from: 0, through: 2, files: [] }],
    [{ type: 'pin', pin: { name: 'p', version: 3, timestamp: 300 } }],
    [{ type: 'gc-floor', version: 4 }],
  )
  const pin = (changes: object): Edit => ({
    type: 'pin',
    pin: { name: 'q', version: 5, timestamp: 500, ...changes },
  })

  test.each<[string, Edit, RegExp]>([
    ['a table of a name that is taken', table(3, 't1'), /name exists/],
    ['a table id that was used', table(2, 'new'), /used before/],
    [
      'altering a table that is gone',
      { type: 'alter-table', id: 9, options: tableOptions() },
      /doesn't exist/,
    ],
    ['dropping a table that is gone', { type: 'drop-table', id: 9 }, /doesn't exist/],
    ['a file that is live already', add(11), /live already/],
    ['17: a file below the garbage floor', add(3), /floor 4.*new name/],
    ['a file twice', add(12, 12), /twice/],
    [
      'a file of a wrong name',
      { type: 'add-files', files: [{ ...fileMeta({ id: 1 }), id: '../x' }] },
      /not named/,
    ],
    [
      'a commit’s file on a level',
      { type: 'add-files', files: [fileMeta({ id: 30, base: 30, level: 1 })] },
      /level 1/,
    ],
    [
      'a flush from where another one went on',
      { type: 'flush', from: 0, through: 5, files: [] },
      /flushed already/,
    ],
    [
      'a flush into the future',
      { type: 'flush', from: 2, through: 7, files: [] },
      /outside of 3 to 6/,
    ],
    ['21, 22: a compaction of a file that is gone', compact([99], []), /not live/],
    ['a compaction that removes a file twice', compact([11, 11], []), /twice/],
    ['outputs that overlap what stays', compact([20], [at(22, 1, 'c', 'n')]), /overlap/],
    [
      'outputs that overlap each other',
      compact([20, 21], [at(22, 1, 'a', 'c'), at(23, 1, 'c', 'd')]),
      /overlap/,
    ],
    ['outputs below the garbage floor', compact([20], [at(3, 1, 'a', 'b')]), /floor/],
    ['outputs that are live already', compact([20], [at(21, 2, 'a', 'b')]), /live already/],
    ['outputs of a table that is gone', compact([11], [at(30, 1, 'a', 'b')], 9), /doesn't exist/],
    [
      'a floor of a table that is gone',
      compact([], [], 1, [{ table: 9, timestamp: 1 }]),
      /doesn't exist/,
    ],
    ['a floor above what is pinned', compact([], [], 1, [{ table: 1, timestamp: 301 }]), /pinned/],
    ['a garbage floor that falls', { type: 'gc-floor', version: 3 }, /at 4 already/],
    ['a garbage floor from the future', { type: 'gc-floor', version: 8 }, /future/],
    ['a pin of a name that is taken', pin({ name: 'p' }), /holds version 3/],
    ['a pin of a version to come', pin({ version: 7 }), /before it is committed/],
    ['an unpin of nothing', { type: 'unpin', name: 'q' }, /no pin/],
    [
      'a checkpoint of a version to come',
      { type: 'checkpoint', version: 7, key: 'x' },
      /isn't committed/,
    ],
    ['the database created twice', { type: 'create-database', incarnation: INCARNATION }, /before/],
  ])('%s', (_, edit, message) => {
    expect(conflictOf(base, [edit])).toMatch(message)
    // A reader enforces what a writer checks.
    expect(() => apply(base, [edit])).toThrow(CorruptionError)
    // Edits before it don't hide it.
    expect(conflictOf(base, [{ type: 'records', bytes: new Uint8Array(0) }, edit])).toMatch(message)
  })

  test.each<[string, Edit]>([
    ['a new table', table(3)],
    ['a file at the garbage floor', add(4)],
    ['a flush that goes on', { type: 'flush', from: 2, through: 6, files: [] }],
    ['a file that moves down a level, old as it is', compact([20], [at(20, 2, 'a', 'f')])],
    ['outputs in the place of inputs', compact([20, 21], [at(22, 1, 'a', 'p')])],
    [
      'level 0 files merged',
      compact([11], [fileMeta({ id: 31, base: 31, max: 250, commitFile: false })], 0),
    ],
    ['a floor at what is pinned', compact([], [], 1, [{ table: 1, timestamp: 300 }])],
    ['a pin of the present', pin({ version: 6, timestamp: 600 })],
    ['a pin renewed', pin({ name: 'p', version: 3, timestamp: 300, expiresAt: 9 })],
    ['a garbage floor again', { type: 'gc-floor', version: 4 }],
  ])('not: %s', (_, edit) => {
    expect(conflictOf(base, [edit])).toBeUndefined()
    expect(apply(base, [edit]).version).toBe(7)
  })

  test('23: no more with a pin whose time is over, by the log’s own clock', () => {
    const floor = compact([], [], 1, [{ table: 1, timestamp: 400 }])
    const ends = (expiresAt: number) =>
      apply(base, [pin({ name: 'p', version: 3, timestamp: 300, expiresAt })])
    expect(conflictOf(ends(701), [floor])).toMatch(/pinned/)
    expect(conflictOf(ends(700), [floor])).toBeUndefined()
  })

  test('with a pin of history that a table has let go', () => {
    const raised = apply(base, [compact([], [], 2, [{ table: 2, timestamp: 300 }])])
    expect(conflictOf(raised, [pin({ version: 2, timestamp: 200 })])).toMatch(/no longer retained/)
    expect(conflictOf(raised, [pin({ version: 3, timestamp: 300 })])).toBeUndefined()
    // A table that was made later had no history then.
    expect(conflictOf(raised, [pin({ version: 1, timestamp: 100 })])).toBeUndefined()
  })
})
