import type { FileMeta } from '@firn/manifest'
import { expect, test } from 'vitest'
import { levelZeroRuns } from '../../src/internal/view/level-zero-runs.js'

/** `a-c@7` is a commit's file, `a-c@3-7` one of a flush. */
function runsOf(text: string): string {
  const files = text.split(' ').map((name) => {
    const [, smallest = '', largest = '', , from, to] = /^(.)-(.)@((\d+)-)?(\d+)$/.exec(name) ?? []
    const meta: Partial<FileMeta> = {
      smallest: new TextEncoder().encode(smallest),
      largest: new TextEncoder().encode(largest),
      minTimestamp: Number(from ?? to),
      maxTimestamp: Number(to),
      commitFile: from === undefined,
    }
    return { name, meta: meta as FileMeta }
  })
  return levelZeroRuns(files, ({ meta }) => meta)
    .map((run) => run.map(({ name }) => name).join(' '))
    .join(' | ')
}

test.each([
  ['e-g@9 a-c@9 x-z@9 a-z@8', 'a-c@9 e-g@9 x-z@9 | a-z@8'],
  ['a-c@9 d-e@8 f-g@7', 'a-c@9 | d-e@8 | f-g@7'],
  // Whoever put them there: what overlaps is looked at one by one.
  ['a-c@9 c-e@9', 'a-c@9 | c-e@9'],
  // Flushes and compactions of a level 0 give files whose times mean nothing to each other.
  ['a-c@5-9 d-e@6-9 f-g@9', 'a-c@5-9 | d-e@6-9 | f-g@9'],
  ['a-c@9 d-e@6-9', 'a-c@9 | d-e@6-9'],
])('%s', (files, runs) => {
  expect(runsOf(files)).toBe(runs)
})
