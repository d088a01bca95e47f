import { once } from 'node:events'
import { open } from '../../../packages/engine/dist/index.js'
import { systemEnv } from '../../../packages/env/dist/index.js'
import { ObjectCommitLog, ObjectLeases } from '../../../packages/manifest/dist/index.js'
import { FsObjectStore } from '../../../packages/object-store/dist/fs.js'
import { RetryingObjectStore } from '../../../packages/object-store/dist/index.js'
import { monotonicMs } from '../clock.js'
import { seeded } from '../random.js'
import { firstLine, runToEnd, tell } from '../report-to-parent.js'
import { SlowReplies } from './slow-store.js'
import type { SlowReport, SlowTask } from './task.js'

// One process of the scene, given as JSON in the first argument: it opens the database, waits for
// the others, writes, and reports what it did.
const task = JSON.parse(process.argv[2] ?? '{}') as SlowTask

/** Lists that the transactions of all processes append to. */
const LISTS = 4
const COMMIT_RECORDS = 2

async function run(): Promise<void> {
  const { id, directory, seed, seconds, replies } = task
  const store = new SlowReplies(new FsObjectStore(directory), replies, seed * 1000 + id)
  const retrying = new RetryingObjectStore(store)
  const db = await open({
    store: retrying,
    log: (incarnation) => new ObjectCommitLog(retrying, incarnation),
    leases: (incarnation) => new ObjectLeases(retrying, incarnation),
  })
  const start = once(process, 'message')
  await tell({ type: 'ready' })
  await start
  const report: SlowReport = {
    id,
    commitMs: [],
    transactionMs: [],
    commits: [],
    appended: {},
    unknown: [],
    failures: {},
    requests: 0,
    lateReplies: 0,
  }
  const endMs = monotonicMs() + seconds * 1000
  const failed = (kind: string, error: unknown): boolean => {
    const code = String((error as { code?: unknown }).code ?? firstLine(error))
    report.failures[`${kind}: ${code}`] = (report.failures[`${kind}: ${code}`] ?? 0) + 1
    return (error as { maybeDone?: unknown }).maybeDone !== false
  }

  const commit = async (): Promise<void> => {
    const table = db.table('commits', { keys: 'utf8', values: 'json' })
    for (let n = 0; monotonicMs() < endMs; n++) {
      const batch = db.batch()
      for (let i = 0; i < COMMIT_RECORDS; i++) batch.put(table, `${id}/${n}/${i}`, n)
      const startedMs = monotonicMs()
      try {
        await batch.write()
        report.commits.push(n)
      } catch (error) {
        failed('commit', error)
      }
      report.commitMs.push(monotonicMs() - startedMs)
    }
  }

  const append = async (): Promise<void> => {
    const next = seeded(seed * 1000 + 500 + id)
    for (let n = 0; monotonicMs() < endMs; n++) {
      const list = `list ${next() % LISTS}`
      const element = `${id}.${n}`
      const startedMs = monotonicMs()
      try {
        await db.transaction(async (tx) => {
          const lists = tx.table('lists', { keys: 'utf8', values: 'json' })
          const before = ((await lists.get(list)) ?? []) as string[]
          await lists.put(list, [...before, element])
        })
        const appended = report.appended[list] ?? []
        report.appended[list] = appended
        appended.push(element)
      } catch (error) {
        if (failed('transaction', error)) report.unknown.push(element)
      }
      report.transactionMs.push(monotonicMs() - startedMs)
      // Else every commit would be a transaction's.
      await systemEnv.sleep(50 + (next() % 100))
    }
  }

  await Promise.all([commit(), append()])
  report.requests = store.requests
  report.lateReplies = store.lateReplies
  await db.close()
  await tell({ type: 'report', report })
}

runToEnd(run)
