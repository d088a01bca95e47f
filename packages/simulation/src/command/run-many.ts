import { systemEnv } from '@firn/env'
import { runSeeds } from '../runner/run-seeds.js'
import { failureInWords } from './failure-in-words.js'

const MINUTE_MS = 60_000
const PROGRESS_MS = 5000

export interface ManyOptions {
  from: number
  /** The number of seeds; with `minutes`, the limit. */
  seeds: number
  minutes: number | undefined
  twice: boolean
}

/** Runs seeds on all cores. Reports progress and failures on stderr, and sums up on stdout. */
export async function runMany({ minutes, ...options }: ManyOptions): Promise<void> {
  const startedAt = systemEnv.monotonic()
  const stop = new AbortController()
  const interrupt = (): void => {
    process.exitCode = 130
    console.error('\ninterrupted: what has begun is ended; interrupt again to leave at once')
    stop.abort()
  }
  process.once('SIGINT', interrupt)
  if (minutes !== undefined) {
    const end = systemEnv.sleep(minutes * MINUTE_MS, stop.signal, { background: true })
    end.then(
      () => stop.abort(),
      () => {},
    )
  }
  let toldAt = startedAt
  const tally = await runSeeds({
    ...options,
    signal: stop.signal,
    onResult: ({ seed, failure }, { runs, failed }) => {
      if (failure !== undefined) console.error(failureInWords(seed, failure))
      const nowMs = systemEnv.monotonic()
      if (nowMs - toldAt < PROGRESS_MS) return
      toldAt = nowMs
      const rate = Math.round((runs * MINUTE_MS) / (nowMs - startedAt))
      console.error(`${runs} runs, ${failed.length} failed, ${rate} a minute`)
    },
  })
  process.off('SIGINT', interrupt)
  console.log(tally.inWords(systemEnv.monotonic() - startedAt))
  if (tally.failed.length > 0) process.exitCode = 1
}
