import { describe, expect, it } from 'vitest'
import { slowToMarkdown } from '../src/report/slow-markdown.js'
import { findAnomalies } from '../src/slow/find-anomalies.js'
import type { SlowReport } from '../src/slow/task.js'

function report(id: number, changes: Partial<SlowReport> = {}): SlowReport {
  return {
    id,
    commitMs: [10, 20],
    transactionMs: [30],
    commits: [0, 1],
    appended: { 'list 0': [`${id}.0`, `${id}.2`] },
    unknown: [],
    failures: {},
    requests: 7,
    lateReplies: 1,
    ...changes,
  }
}

const COMMITS = new Set(['0/0/0', '0/0/1', '0/1/0', '0/1/1', '1/0/0', '1/0/1', '1/1/0', '1/1/1'])
const reports = [report(0), report(1)]

function anomalies(list: string[], commits: ReadonlySet<string> = COMMITS, of = reports): string[] {
  return findAnomalies(of, { commits, lists: new Map([['list 0', list]]) })
}

describe('anomalies', () => {
  it('are not found where each acknowledged write is there once, in order', () => {
    expect(anomalies(['0.0', '1.0', '1.2', '0.2'])).toEqual([])
  })

  it('are commits and appends that are lost, doubled, out of order, or there though they were refused', () => {
    const some = new Set([...COMMITS].filter((key) => key !== '1/1/0'))
    expect(anomalies(['0.0', '1.0', '1.2', '0.2'], some)).toEqual(['commit 1/1 is lost'])
    expect(anomalies(['0.0', '1.0', '0.2'])).toEqual(['list 0: 1.2 is lost'])
    expect(anomalies(['0.0', '1.0', '1.2', '0.2', '0.2'])).toEqual(['list 0: 0 appended twice'])
    expect(anomalies(['0.2', '1.0', '1.2', '0.0'])).toEqual([
      'list 0: what 0 appended is out of order',
    ])
    expect(anomalies(['0.0', '0.1', '1.0', '1.2', '0.2'])).toEqual([
      'list 0: 0.1 was refused, and is there',
    ])
  })

  it('are not what nobody could know', () => {
    const of = [report(0, { unknown: ['0.1'] }), report(1)]
    expect(anomalies(['0.0', '0.1', '1.0', '1.2', '0.2'], COMMITS, of)).toEqual([])
  })
})

it('shows the slowest of all in a table', () => {
  const table = slowToMarkdown({
    reports: [report(0), report(1, { commitMs: [10, 9000], failures: { 'commit: X': 2 } })],
    anomalies: [],
    version: 9,
  })
  expect(table).toContain('| all | 4 | 20 | 9000 | 9000 | 9000 | 2 | 30 | 30 | 30 | 2 commit: X |')
  expect(table).toContain('6 operations, 9 entries in the log, 14 requests of which 2 were late')
})
