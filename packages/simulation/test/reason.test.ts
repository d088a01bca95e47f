import { expect, test } from 'vitest'
import { reasonsOf, showsTheBug } from '../src/reason.js'
import { EndlessRun, Violation } from '../src/violation.js'

const reasonOf = (message: string): string | undefined => [...reasonsOf(new Violation(message))][0]

test('one bug has one reason, whoever meets it, where and when', () => {
  const same = [
    [
      `writer1.2/0's get of eternal: ["a0"] = ["3:writer1"] doesn't show one of the versions 3 to 5; at 5 it is [null]`,
      `reader2.1/recovery's scan of all 2 rows of few {"gt":"a","limit":3}: [["a","1:x[]"],["b","2:\\"y\\""]] doesn't show one of the versions 13 to 35; at 20 it is []`,
    ],
    [
      "writer2.1/0's put (1 changes, acknowledged) is in the log more than once: 6, 8",
      "writer1.1/1's large batch (30 changes, unknown) is in the log more than once: 7, 19",
    ],
    [
      'file 0000000004-01KGMZT000P10Q92SKDZDJTEHM is part of the database, but isn’t in the store',
      'file 0000000017-01KGMZT0Z0P10Q92SKDZDJ0000 is part of the database, but isn’t in the store',
    ],
    [
      'writer1.1: open must not fail with CorruptionError: block at 312 of sst/01KG/0004 is damaged',
      'reader1.3: refresh must not fail with CorruptionError: block at 4 of sst/01KH/0012 is damaged',
    ],
  ]
  for (const [first = '', second = ''] of same) expect(reasonOf(second)).toBe(reasonOf(first))
})

test('other bugs have other reasons', () => {
  const reasons = [
    "writer2.1/0's put (1 changes, acknowledged) is in the log more than once: 6, 8",
    "writer2.1/0's put (1 changes, acknowledged) is torn: it is in the log in part, at 6",
    "writer2.1/0's put (1 changes, refused) failed with FIRN_COMMIT_CONFLICT, but is in the log at 6",
    "reader1.1/0's count of 3 keys of now {} doesn't show one of the versions 3 to 5; at 5 it is []",
    'ambient world: Date.now was used; take it from the Env',
    'ambient world: Math.random was used; take it from the Env',
    'the workload: not done after 43200000 ms',
    'closing: not done after 3600000 ms',
  ].map(reasonOf)
  expect(new Set(reasons).size).toBe(reasons.length)
})

test('a run that tells of several problems has the reason of each', () => {
  const reasons = reasonsOf(new Violation('a is torn\nb has version 3\nand 4 more'))
  expect([...reasons]).toEqual(['is torn', 'has version #', 'and # more'])
})

test('a run shows the bug of another where it fails for the same reason, or for any that will do', () => {
  const failure = new Violation("writer1.1/0's put is torn: it is in the log in part, at 4")
  const same = new Violation("writer2.1/1's put is torn: it is in the log in part, at 9")
  const other = new Violation('6 files are open, but there are 4')
  const shown = [undefined, same, other, new EndlessRun(100)]
  expect(shown.map((found) => showsTheBug(found, failure))).toEqual([false, true, false, false])
  expect(shown.map((found) => showsTheBug(found, failure, true))).toEqual([
    false,
    true,
    true,
    false,
  ])
  expect(showsTheBug(new EndlessRun(9), new EndlessRun(100))).toBe(true)
})
