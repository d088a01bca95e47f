import { concatBytes, utf8Encode } from '@firn/bytes'
import type { LogEntry } from '@firn/commit-log'
import { systemEnv, ulid } from '@firn/env'
import { type Edit, encodeEdits, RecordsWriter, type TableOptionsState } from '@firn/manifest'
import { SstWriter } from '@firn/sst'
import { describe, expect, test } from 'vitest'
import { check } from '../src/checker.js'
import {
  ABANDONED,
  ABANDONED_BEFORE,
  type At,
  type Change,
  History,
  type Seen,
  WHOLE_TABLE,
  type WriteDetails,
} from '../src/history.js'
import { Replay } from '../src/replay.js'

// A history that is true is let pass; each lie about it is found.

const A1 = { table: 't', key: 'a', value: 'a1' }
const A2 = { table: 't', key: 'a', value: 'a2' }
const B1 = { table: 't', key: 'b', value: 'b1' }
const B2 = { table: 't', key: 'b', value: 'b2' }
const NO_A = { table: 't', key: 'a', value: undefined }

const OPTIONS = {
  keys: 'utf8',
  values: 'utf8',
  history: 'all',
  compaction: 'leveled',
  compression: 'none',
  statistics: [],
} as const

/**
 * Version 1 makes the database and its table; the changes of each list are the versions from 2 on.
 */
function replayOf(...commits: Change[][]): Promise<Replay> {
  return replayOfPayloads(payloadsOf(commits, OPTIONS))
}

function replayOfPayloads(payloads: readonly Uint8Array[], file?: Uint8Array): Promise<Replay> {
  const beginning: Edit[] = [
    { type: 'create-database', incarnation: ulid(systemEnv) },
    { type: 'create-table', id: 1, name: 't', options: OPTIONS },
  ]
  const entries = [encodeEdits(beginning), ...payloads].map(
    (payload, i): LogEntry => ({
      version: i + 1,
      timestamp: timestampOf(i + 1),
      token: ulid(systemEnv),
      payload,
    }),
  )
  return Replay.of(entries, () => file)
}

/** Version 2 is a file, whose changes are in the order of their keys. */
function replayOfFile(...changes: Change[]): Promise<Replay> {
  const keyOf = ({ key }: Change): Uint8Array => Uint8Array.of(0, 0, 0, 1, ...utf8Encode(key))
  const writer = new SstWriter({ fileId: 'f', compression: 'none', timestamps: 'file' })
  for (const change of changes) {
    const { value } = change
    writer.add(keyOf(change), value === undefined ? undefined : utf8Encode(value))
  }
  writer.finish()
  const bytes = concatBytes(writer.take())
  const edit: Edit = {
    type: 'add-files',
    files: [
      {
        id: `1-${ulid(systemEnv)}`,
        bytes: bytes.length,
        level: 0,
        smallest: keyOf(changes[0] as Change),
        largest: keyOf(changes.at(-1) as Change),
        minTimestamp: 0,
        maxTimestamp: 0,
        commitFile: true,
        records: changes.length,
        deletes: changes.filter(({ value }) => value === undefined).length,
        rawKeyBytes: 0,
        rawValueBytes: 0,
        tailBytes: bytes.length,
        statistics: {},
      },
    ],
  }
  return replayOfPayloads([encodeEdits([edit])], bytes)
}

/** A drop is followed by a commit that makes the table again. */
function payloadsOf(commits: readonly Change[][], options: TableOptionsState): Uint8Array[] {
  let id = 1
  return commits.map((changes) => {
    if (changes[0]?.key === WHOLE_TABLE) return encodeEdits([{ type: 'drop-table', id: id++ }])
    const edits: Edit[] =
      id > 1 && changes[0]?.value === 'again'
        ? [{ type: 'create-table', id, name: 't', options }]
        : []
    const writer = new RecordsWriter(edits)
    for (const { key, value } of changes) {
      writer.add(id, utf8Encode(key), value === undefined ? undefined : utf8Encode(value))
    }
    return writer.take()
  })
}

function timestampOf(version: number): number {
  return version * 100
}

class Told {
  readonly history: History = new History()

  acknowledged(changes: Change[], version: number, details: WriteDetails = {}): this {
    const write = this.history.begin('p', 'write', changes, details)
    this.history.acknowledge(write, { version, timestamp: timestampOf(version) }, version)
    return this
  }

  failed(changes: Change[], code: string): this {
    this.history.fail(this.history.begin('p', 'write', changes), code)
    return this
  }

  read(seen: Seen, from: number, to: number, at: At = undefined, timeline?: number): this {
    this.history.read({ process: 'p', what: 'read', from, to, at, timeline, growing: false, seen })
    return this
  }
}

const value = (key: string, ...values: (string | undefined)[]): Seen => ({
  kind: 'values',
  table: 't',
  keys: values.map(() => key),
  values,
})
const rows = (...all: Change[]): Seen => ({
  kind: 'rows',
  table: 't',
  range: {},
  rows: all.map(({ key, value }) => [key, value ?? '']),
  whole: true,
})

describe('a write', () => {
  test('that was acknowledged is in the log, at its version', async () => {
    const replay = await replayOf([A1], [NO_A, B1])
    const told = new Told().acknowledged([A1], 2).acknowledged([NO_A, B1], 3)
    expect(check(told.history, replay)).toEqual([])
  })

  test.each<[string, Change[][], Told, RegExp]>([
    ['lost', [[B1]], new Told().acknowledged([B1], 2).acknowledged([A1], 3), /isn't/],
    [
      'at another version',
      [[A1], [B1]],
      new Told().acknowledged([B1], 2).acknowledged([A1], 3),
      /isn't/,
    ],
    ['committed twice', [[A1], [A1]], new Told().acknowledged([A1], 2), /more than once: 2, 3/],
    ['torn', [[A1], [B1]], new Told().failed([A1, B1], 'FIRN_COMMIT_UNKNOWN'), /torn/],
    [
      'torn, the rest being lost',
      [[A1]],
      new Told().failed([A1, B1], 'FIRN_COMMIT_UNKNOWN'),
      /torn/,
    ],
    [
      'refused and there',
      [[A1]],
      new Told().failed([A1], 'FIRN_OBJECT_STORE'),
      /is in the log at 2/,
    ],
    [
      'older than what came before it',
      [[A1], [B1]],
      new Told().acknowledged([B1], 3).acknowledged([A1], 2),
      /began after 3/,
    ],
    ['nobody’s', [[A1]], new Told(), /nobody wrote/],
    ['a delete that nobody made', [[NO_A]], new Told(), /nobody made/],
    [
      'a delete that is lost',
      [[A1]],
      new Told().acknowledged([A1], 2).acknowledged([NO_A], 3),
      /isn't/,
    ],
    [
      'a delete that is done twice',
      [[NO_A], [NO_A]],
      new Told().acknowledged([NO_A], 2),
      /deleted 2 times/,
    ],
  ])('is told of that is %s', async (_, commits, told, problem) => {
    const problems = check(told.history, await replayOf(...commits))
    expect(problems.join('\n')).toMatch(problem)
  })

  test('is told of whose timestamp is not that of its version', async () => {
    const { history } = new Told()
    history.acknowledge(history.begin('p', 'write', [A1]), { version: 2, timestamp: 1 }, 1)
    expect(check(history, await replayOf([A1]))).toEqual([expect.stringMatching(/timestamp 1/)])
  })

  test('whose end is not known is there or not', async () => {
    const told = () => new Told().failed([A1, B1], 'FIRN_COMMIT_UNKNOWN')
    expect(check(told().history, await replayOf([A1, B1]))).toEqual([])
    expect(check(told().history, await replayOf())).toEqual([])
  })
})

describe('a read', () => {
  // Version 2: a = a1, b = b1. Version 3: a = a2. Version 4: b = b2. Version 5: a is deleted.
  const commits = [[A1, B1], [A2], [B2], [NO_A]]
  const problemsOf = async (seen: Seen, from: number, to: number, at?: At): Promise<string[]> => {
    const told = new Told()
    for (const [i, changes] of commits.entries()) told.acknowledged(changes, i + 2)
    return check(told.read(seen, from, to, at).history, await replayOf(...commits))
  }

  test.each<[string, Seen, number, number, At]>([
    ['the present', value('a', 'a2'), 4, 4, undefined],
    ['one of the versions between', value('a', 'a2'), 2, 5, undefined],
    ['nothing where there is nothing', value('a', undefined), 5, 5, undefined],
    ['a past version', value('a', 'a1'), 5, 5, { version: 2 }],
    ['a past time', value('a', 'a2'), 5, 5, { timestamp: 499 }],
    ['a time to come', value('b', 'b2'), 5, 5, { timestamp: 9999 }],
    ['a date to come', value('b', 'b2'), 5, 5, { dateMs: 1 }],
    ['rows of one version', rows(A2, B1), 2, 5, undefined],
    ['the first rows', { ...rows(A2), whole: false } as Seen, 3, 3, undefined],
    ['a version', { kind: 'version', version: 3 }, 2, 4, undefined],
    ['a count', { kind: 'count', table: 't', range: {}, count: 1 }, 5, 5, undefined],
    ['keys', { kind: 'keys', table: 't', range: {}, items: ['a', 'b'] }, 3, 3, undefined],
    [
      'values of rows',
      { kind: 'values of rows', table: 't', range: {}, items: ['a2', 'b1'] },
      3,
      3,
      undefined,
    ],
    ['the tables', { kind: 'tables', names: ['t'] }, 1, 5, undefined],
  ])('may show %s', async (_, seen, from, to, at) => {
    expect(await problemsOf(seen, from, to, at)).toEqual([])
  })

  test.each<[string, Seen, number, number, At]>([
    ['what is stale', value('a', 'a1'), 3, 4, undefined],
    ['what is to come', value('b', 'b2'), 3, 3, undefined],
    ['what was never there', value('a', 'x'), 2, 5, undefined],
    ['what was deleted', value('a', 'a2'), 5, 5, undefined],
    ['the present for the past', value('a', 'a2'), 5, 5, { version: 2 }],
    ['another time', value('a', 'a1'), 5, 5, { timestamp: 300 }],
    ['rows of two versions', rows(A1, B2), 2, 5, undefined],
    ['only some rows', rows(A2), 3, 3, undefined],
    ['rows in another order', rows(B1, A1), 2, 2, undefined],
    ['a gap between the first rows', { ...rows(B1), whole: false } as Seen, 2, 2, undefined],
    ['another version', { kind: 'version', version: 5 }, 2, 4, undefined],
    ['another count', { kind: 'count', table: 't', range: {}, count: 2 }, 5, 5, undefined],
    ['fewer keys', { kind: 'keys', table: 't', range: {}, items: ['a'] }, 3, 3, undefined],
    ['no tables', { kind: 'tables', names: [] }, 1, 5, undefined],
    ['that there is no table', { kind: 'no table', table: 't' }, 1, 5, undefined],
  ])('may not show %s', async (_, seen, from, to, at) => {
    expect(await problemsOf(seen, from, to, at)).toEqual([expect.stringContaining('show')])
  })

  test('shows no version before there is one', async () => {
    const early = await problemsOf(value('a', 'a2'), 2, 3, { version: 4 })
    expect(early).toEqual([expect.stringContaining('show')])
    expect(await problemsOf(value('a', 'a2'), 2, 4, { version: 4 })).toEqual([])
  })

  test('of a snapshot shows nothing after it, at whatever moment', async () => {
    const told = new Told()
    for (const [i, changes] of commits.entries()) told.acknowledged(changes, i + 2)
    const of = { process: 'p', what: 'read', from: 5, to: 5, timeline: undefined, growing: false }
    const bound = { ...of, bound: 2, at: { timestamp: 400 } }
    told.history.read({ ...bound, seen: value('a', 'a1') })
    told.history.read({ ...bound, seen: value('a', 'a2') })
    expect(check(told.history, await replayOf(...commits))).toEqual([
      expect.stringContaining('["a2"]'),
    ])
  })

  test('of a transaction shows what it wrote before', async () => {
    const own = new Map([
      ['a', undefined],
      ['c', 'c0'],
    ])
    const seen: Seen = { ...rows(B1, { table: 't', key: 'c', value: 'c0' }), own } as Seen
    expect(await problemsOf(seen, 3, 3)).toEqual([])
    expect(await problemsOf({ ...rows(A2, B1), own } as Seen, 3, 3)).toHaveLength(1)
    expect(await problemsOf({ ...value('a', undefined), own } as Seen, 3, 3)).toEqual([])
    const count: Seen = { kind: 'count', table: 't', range: {}, count: 2, own }
    expect(await problemsOf(count, 3, 3)).toEqual([])
  })

  test('may not be of versions that the log lost', async () => {
    expect(await problemsOf(value('a', undefined), 5, 6)).toEqual([
      expect.stringMatching(/the log ends with 5/),
    ])
  })
})

describe('a table that was dropped', () => {
  // Version 2: a = a1. Version 3: the table is dropped. Version 4: another of its name, b = again.
  const drop = { table: 't', key: WHOLE_TABLE, value: undefined }
  const again = { table: 't', key: 'b', value: 'again' }
  const commits = [[A1], [drop], [again]]
  const problemsOf = async (seen: Seen, from: number, to: number, at?: At): Promise<string[]> => {
    const told = new Told()
    for (const [i, changes] of commits.entries()) told.acknowledged(changes, i + 2)
    return check(told.read(seen, from, to, at).history, await replayOf(...commits))
  }

  test.each<[string, Seen, number, number, At]>([
    ['is there before', value('a', 'a1'), 2, 2, undefined],
    ['is gone afterwards', value('a', undefined), 3, 3, undefined],
    ['takes its past with it', value('a', undefined), 3, 4, { version: 2 }],
    ['is there for who read it before', value('a', 'a1'), 2, 3, { version: 2 }],
    ['is in no list', { kind: 'tables', names: [] }, 3, 3, undefined],
    ['is none', { kind: 'no table', table: 't' }, 2, 3, undefined],
    ['gives its name to another one', value('b', 'again'), 4, 4, undefined],
  ])('%s', async (_, seen, from, to, at) => {
    expect(await problemsOf(seen, from, to, at)).toEqual([])
  })

  test.each<[string, Seen, number, number, At]>([
    ['is seen', value('a', 'a1'), 3, 4, undefined],
    ['still has a past', value('a', 'a1'), 3, 4, { version: 2 }],
    ['is gone from what was read before', value('a', undefined), 2, 2, { version: 2 }],
    ['is none before', { kind: 'no table', table: 't' }, 2, 2, undefined],
  ])('is told of that %s', async (_, seen, from, to, at) => {
    expect(await problemsOf(seen, from, to, at)).toEqual([expect.stringContaining('show')])
  })

  test('is dropped once', async () => {
    const told = new Told().acknowledged([A1], 2).acknowledged([drop], 3).acknowledged([again], 4)
    told.acknowledged([drop], 5)
    expect(check(told.history, await replayOf(...commits)).join()).toMatch(/deleted 1 times/)
  })
})

describe('what is buffered', () => {
  test('isn’t durable because a transaction that wrote nothing has seen it', () => {
    const history = new History()
    const put = history.begin('p', 'put', [{ table: 't', key: 'k', value: 'v' }], {
      durability: 'buffered',
    })
    history.acknowledge(put, { version: 1, timestamp: timestampOf(1) }, 1)
    history.end(history.begin('p', 'transaction', []), { version: 1, timestamp: timestampOf(1) })
    expect(history.acknowledged).toBe(0)
    expect(history.recover(0, 2).map(({ write }) => write)).toEqual([put])
  })

  const buffered = { durability: 'buffered' } as const

  test('may be lost, from its end backwards, and what was seen of it with it', async () => {
    const told = new Told()
      .acknowledged([A1], 2, buffered)
      .acknowledged([A2], 3, buffered)
      .acknowledged([B2], 4, buffered)
    told
      .read(value('a', 'a2'), 3, 4, undefined, 0)
      .read(rows(A1), 4, 4, { version: 2 }, 0)
      .read(rows(A2, B2), 4, 4, { timestamp: 450 }, 0)
    told.history.recover(2, 1)
    told.acknowledged([B1], 3).read(rows(A1, B1), 3, 3, undefined, 1)
    expect(check(told.history, await replayOf([A1], [B1]))).toEqual([])
  })

  test('is not lost where something durable came after it', async () => {
    const told = new Told().acknowledged([A1], 2, buffered).acknowledged([B1], 3)
    told.history.recover(1, 1)
    expect(check(told.history, await replayOf())).toHaveLength(2)
  })

  test('is not in the log when it was lost', async () => {
    const told = new Told().acknowledged([A1], 2, buffered)
    told.history.recover(1, 1)
    expect(check(told.history, await replayOf([A1])).join()).toMatch(/was lost, but is in the log/)
  })

  test.each<[string, Seen, number, number | undefined]>([
    ['another value', value('a', 'a1'), 3, 0],
    ['by somebody who sees the log alone', value('a', 'a2'), 2, undefined],
    ['after it was lost', value('a', 'a2'), 2, 1],
  ])('is told of that was seen with %s', async (_, seen, to, timeline) => {
    const told = new Told().acknowledged([A1], 2).acknowledged([A2], 3, buffered)
    told.history.recover(2, 1)
    told.read(seen, to, to, undefined, timeline)
    expect(check(told.history, await replayOf([A1]))).toEqual([expect.stringContaining('show')])
  })
})

test('a version that still grows may be seen as it was before, but nothing else may', async () => {
  const problemsOf = async (growing: boolean, ...seen: (string | undefined)[]) => {
    const told = new Told().acknowledged([A1], 2).acknowledged([A2, B1], 3)
    const values = { kind: 'values', table: 't', keys: ['a', 'b'], values: seen } as const
    const read = { process: 'p', what: 'read', from: 3, to: 3, at: undefined, timeline: 0 }
    told.history.read({ ...read, growing, seen: values })
    return check(told.history, await replayOf([A1], [A2, B1]))
  }
  expect(await problemsOf(true, 'a2', undefined)).toEqual([])
  expect(await problemsOf(true, 'a1', 'b1')).toEqual([])
  expect(await problemsOf(true, undefined, 'b1')).toHaveLength(1)
  expect(await problemsOf(false, 'a2', undefined)).toHaveLength(1)
})

test('what a batch replaced may be in the log, or left out', async () => {
  const told = () => new Told().acknowledged([A2], 2, { replaced: [A1, NO_A] })
  expect(check(told().history, await replayOf([A1, NO_A, A2]))).toEqual([])
  expect(check(told().history, await replayOf([A2]))).toEqual([])
})

describe('of writes that one file was made of', () => {
  test('one may have taken the place of another, key by key', async () => {
    const replay = await replayOfFile(A2, B1)
    const { history } = new Told()
    const writes = [[A1, B1], [A2]].map((changes) => history.begin('p', 'write', changes))
    for (const write of writes) {
      history.acknowledge(write, { version: 2, timestamp: timestampOf(2) }, 2)
    }
    expect(check(history, replay)).toEqual([])
  })

  test('one may have taken the place of all of another, or of its delete', async () => {
    const { history } = new Told()
    const writes = [[A1], [NO_A], [A2]].map((changes) => history.begin('p', 'write', changes))
    for (const write of writes) {
      history.acknowledge(write, { version: 2, timestamp: timestampOf(2) }, 2)
    }
    expect(check(history, await replayOfFile(A2))).toEqual([])
  })

  test('none is lost where no other took its place', async () => {
    const told = () => new Told().acknowledged([A1, B1], 2).history
    expect(check(told(), await replayOfFile(B1)).join()).toMatch(/torn/)
    const deletes = () => new Told().acknowledged([NO_A, B1], 2).history
    expect(check(deletes(), await replayOfFile(NO_A, B1))).toEqual([])
    expect(check(deletes(), await replayOfFile(B1)).join()).toMatch(/isn't/)
  })

  test('none has its own older value in place of its newer one', async () => {
    const told = () => new Told().acknowledged([A2, B1], 2, { replaced: [A1] }).history
    expect(check(told(), await replayOfFile(A2, B1))).toEqual([])
    expect(check(told(), await replayOfFile(A1, B1)).join()).toMatch(/torn/)
  })

  test('none is replaced in an entry that holds them all', async () => {
    const { history } = new Told()
    const writes = [[A1, B1], [A2]].map((changes) => history.begin('p', 'write', changes))
    for (const write of writes) {
      history.acknowledge(write, { version: 2, timestamp: timestampOf(2) }, 2)
    }
    expect(check(history, await replayOf([A2, B1])).join()).toMatch(/torn/)
  })
})

test('a write that its client gave up on is there or not; one that it never made is not', async () => {
  const given = (code: string) => new Told().failed([A1], code).history
  expect(check(given(ABANDONED), await replayOf([A1]))).toEqual([])
  expect(check(given(ABANDONED), await replayOf())).toEqual([])
  expect(check(given(ABANDONED_BEFORE), await replayOf([A1])).join()).toMatch(/is in the log/)
})
