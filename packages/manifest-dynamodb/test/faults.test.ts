import { appendSettled, type CommitLog } from '@firn/commit-log'
import { isFirnError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import {
  CUT_REPLY,
  denied,
  dynamoDbAnswers,
  HANG,
  type HttpFault,
  LOST_REPLY,
  LOST_REQUEST,
  late,
  randomFault,
  refused,
  SILENT_SUCCESS,
  TWICE,
} from '@firn/local-services'
import { LONG } from '@firn/test-support'
import { expect, test } from 'vitest'
import { DynamoDbCommitLog, type DynamoDbOptions } from '../src/index.js'
import { collect, describeServices, newEntry } from './fixtures.js'
import { behindProxy } from './proxy.js'

const WRITERS = 6
const COMMITS = LONG ? 150 : 12
// A very bad network has a tenth. The short form must meet every fault in less time.
const SHARE = LONG ? 0.1 : 0.35

const FAULTS: readonly HttpFault[] = [
  LOST_REPLY,
  CUT_REPLY,
  SILENT_SUCCESS,
  LOST_REQUEST,
  HANG,
  TWICE,
  late(1),
  late(40),
  late(150),
  refused(dynamoDbAnswers.THROUGHPUT_EXCEEDED),
  refused(dynamoDbAnswers.THROTTLED),
  refused(dynamoDbAnswers.REQUEST_LIMIT_EXCEEDED),
  refused(dynamoDbAnswers.INTERNAL_SERVER_ERROR),
  denied(dynamoDbAnswers.INTERNAL_SERVER_ERROR),
  denied(dynamoDbAnswers.SERVICE_UNAVAILABLE),
]

/** Commits until all are done. Entries name their writer. Returns tokens: acknowledged, lost. */
async function write(log: CommitLog, writer: number) {
  const acknowledged = new Map<number, string>()
  const lost: string[] = []
  let last = 0
  while (acknowledged.size < COMMITS) {
    last = await readOn(log, last)
    const entry = newEntry(last + 1, `${writer}/${acknowledged.size}`)
    const { appended } = await appendSettled(log, entry, { deadlineMs: 60_000 })
    if (appended) acknowledged.set(entry.version, entry.token)
    else lost.push(entry.token)
  }
  return { acknowledged, lost }
}

/**
 * Returns the newest version. A read that fails in all of its attempts is made again.
 */
async function readOn(log: CommitLog, from: number): Promise<number> {
  let last = from
  for (;;) {
    try {
      for await (const { version } of log.readAfter(last)) last = version
      return last
    } catch (error) {
      if (!isFirnError(error, 'FIRN_DYNAMODB') || !error.retryable) throw error
    }
  }
}

describeServices('commits over a bad network', (table) => {
  test('1, 2, 3, 12: are in the log exactly once; none is lost, or said to have failed', async () => {
    const env = new TestEnv({ seed: 7 })
    const met = new Set<HttpFault>()
    const { proxy, options } = await behindProxy(table(), () => {
      const fault = randomFault(() => env.random(), SHARE, FAULTS)
      if (fault !== undefined) met.add(fault)
      return fault
    })
    const impatient: DynamoDbOptions = { ...options, requestTimeoutMs: 250 }
    const logs = Array.from({ length: WRITERS }, () => new DynamoDbCommitLog(impatient))
    const writers = await Promise.all(logs.map(write))
    await proxy.settled()

    const direct = new DynamoDbCommitLog({ ...options, client: table().client })
    const entries = await collect(direct.readAfter(0))
    const written = entries.map(({ payload }) => new TextDecoder().decode(payload)).sort()
    const meant = writers.flatMap((_, w) => Array.from({ length: COMMITS }, (_, i) => `${w}/${i}`))
    expect(written).toEqual(meant.sort())
    const tokens = new Set(entries.map(({ token }) => token))
    for (const { acknowledged, lost } of writers) {
      for (const [version, token] of acknowledged) expect(entries[version - 1]?.token).toBe(token)
      for (const token of lost) expect(tokens.has(token)).toBe(false)
    }
    expect(met.size).toBe(FAULTS.length)
  }, 300_000)
})
