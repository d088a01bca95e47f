import { LONG } from '@firn/test-support'
import { expect, test } from 'vitest'
import { DynamoDbCommitLog } from '../src/index.js'
import { describeServices, newEntry } from './fixtures.js'

const ROUNDS = LONG ? 100 : 10
const RACERS = 50

describeServices('racing creates of one number', (table) => {
  test(`have one winner in ${ROUNDS} rounds of ${RACERS}`, async () => {
    const options = table().options()
    const logs = Array.from({ length: RACERS }, () => new DynamoDbCommitLog(options))
    for (let version = 1; version <= ROUNDS; version++) {
      const entries = logs.map(() => newEntry(version))
      const results = await Promise.all(
        logs.map((log, i) => log.append(entries[i] ?? newEntry(version))),
      )
      const winners = entries.filter((_, i) => results[i]?.appended === true)
      expect(winners).toHaveLength(1)
      for (const result of results) {
        if (!result.appended) expect(result.winner.token).toBe(winners[0]?.token)
      }
    }
  })
})
