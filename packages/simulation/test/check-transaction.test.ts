import { utf8Encode } from '@firn/bytes'
import { systemEnv, ulid } from '@firn/env'
import { encodeEdits, RecordsWriter } from '@firn/manifest'
import { expect, test } from 'vitest'
import { check } from '../src/checker.js'
import { type Change, History, type Seen, type TransactionReads } from '../src/history.js'
import { Replay } from '../src/replay.js'

const A = { table: 't', key: 'a', value: 'a1' }
const A2 = { table: 't', key: 'a', value: 'a2' }
const NO_A = { table: 't', key: 'a', value: undefined }
const B = { table: 't', key: 'b', value: 'b1' }
const C = { table: 't', key: 'c', value: 'c1' }
const D = { table: 't', key: 'd', value: 'd1' }

/** Version 1 makes the table; the changes of each list are the versions from 2 on. */
function replayOf(...commits: Change[][]): Promise<Replay> {
  const options = { keys: 'utf8', values: 'utf8', history: 'all' } as const
  const others = { compaction: 'leveled', compression: 'none', statistics: [] } as const
  const beginning = encodeEdits([
    { type: 'create-database', incarnation: ulid(systemEnv) },
    { type: 'create-table', id: 1, name: 't', options: { ...options, ...others } },
  ])
  const payloads = commits.map((changes) => {
    const writer = new RecordsWriter()
    for (const { key, value } of changes) {
      writer.add(1, utf8Encode(key), value === undefined ? undefined : utf8Encode(value))
    }
    return writer.take()
  })
  const entries = [beginning, ...payloads].map((payload, i) => ({
    version: i + 1,
    timestamp: (i + 1) * 100,
    token: ulid(systemEnv),
    payload,
  }))
  return Replay.of(entries, () => undefined)
}

const value = ({ key }: Change, seen?: string): Seen => ({
  kind: 'values',
  table: 't',
  keys: [key],
  values: [seen],
})
const rows = (
  range: { limit?: number; reverse?: boolean },
  whole: boolean,
  ...all: Change[]
): Seen => ({
  kind: 'rows',
  table: 't',
  range,
  rows: all.map((row) => [row.key, row.value ?? '']),
  whole,
})

const count = (count: number): Seen => ({ kind: 'count', table: 't', range: {}, count })

/** All commits, the last change of the last one being the transaction's. */
function historyOf(commits: Change[][], transaction: TransactionReads): History {
  const history = new History()
  for (const [i, changes] of commits.entries()) {
    const commit = { version: i + 2, timestamp: (i + 2) * 100 }
    const isLast = i === commits.length - 1
    const others = isLast ? changes.slice(0, -1) : changes
    if (others.length > 0) history.acknowledge(history.begin('p', 'write', others), commit, i)
    if (!isLast) continue
    const write = history.begin('p', 'transaction', changes.slice(-1))
    history.acknowledge(write, commit, i)
    // Those of one entry were under way together.
    Object.assign(write, { after: 0, transaction })
  }
  return history
}

const CASES: [string, Change[][], Seen, RegExp | undefined][] = [
  ['what was read stayed', [[A], [B], [D]], value(A, 'a1'), undefined],
  ['what was read changed', [[A], [A2], [D]], value(A, 'a1'), /no longer so/],
  ['what was absent came', [[A], [B], [D]], value(B), /no longer so/],
  ['what was absent stayed so', [[A], [B], [D]], value(C), undefined],
  ['a range stayed', [[A, B], [C], [D]], rows({ limit: 2 }, true, A, B), undefined],
  ['a range grew', [[A, B], [C], [D]], rows({}, true, A, B), /no longer so/],
  ['a range grew behind what was read of it', [[A, B], [C], [D]], rows({}, false, A, B), undefined],
  [
    'what was read changed in the same entry, before it',
    [[A], [A2, D]],
    value(A, 'a1'),
    /no longer/,
  ],
  ['something else changed there', [[A], [B, D]], value(A, 'a1'), undefined],
  ['a range grew there', [[A], [B, D]], rows({}, true, A), /no longer so/],
  ['a range grew there, behind its limit', [[A], [B, D]], rows({ limit: 1 }, true, A), undefined],
  ['a range grew there, before its last row', [[B], [A2, D]], rows({}, false, B), /no longer so/],
  [
    'a key changed that it had written itself before it read',
    [[A], [A2], [D]],
    { ...value(A, 'own'), own: new Map([['a', 'own']]) } as Seen,
    undefined,
  ],
  ['what it counted changed', [[A], [B], [D]], count(1), /no longer so/],
  ['what it counted changed in the same entry, before it', [[A], [B, D]], count(1), /no longer so/],
  [
    'a range that was read backwards grew there',
    [[B], [C, D]],
    rows({ reverse: true }, false, B),
    /no longer/,
  ],
]

test.each(CASES)('serializable: %s', async (_, commits, seen, problem) => {
  const transaction = { isolation: 'serializable', version: 2, reads: [seen] } as const
  const problems = check(historyOf(commits, transaction), await replayOf(...commits))
  if (problem === undefined) expect(problems).toEqual([])
  else expect(problems).toEqual([expect.stringMatching(problem)])
})

test.each<[string, Change[][], RegExp | undefined]>([
  ['nobody wrote its key', [[A], [B], [A2]], undefined],
  ['somebody wrote its key', [[B], [A], [A2]], /t\/a was written at 3/],
  ['somebody wrote its key in the same entry, before it', [[B], [A, A2]], /t\/a was written at 3/],
  ['somebody deleted its key, which was not there', [[B], [NO_A], [A2]], undefined],
  ['somebody deleted its key', [[A], [NO_A], [A2]], /t\/a was written at 3/],
])('in snapshots: %s', async (_, commits, problem) => {
  const transaction = { isolation: 'snapshot', version: 2, reads: [value(B)] } as const
  const problems = check(historyOf(commits, transaction), await replayOf(...commits))
  if (problem === undefined) expect(problems).toEqual([])
  else expect(problems).toContainEqual(expect.stringMatching(problem))
})

test('a transaction has a later version than its snapshot', async () => {
  const transaction = { isolation: 'serializable', version: 3, reads: [] } as const
  const problems = check(historyOf([[A], [B]], transaction), await replayOf([A], [B]))
  expect(problems).toEqual([expect.stringMatching(/has version 3, but read 3/)])
})
