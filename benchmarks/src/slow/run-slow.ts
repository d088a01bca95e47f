import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { open } from '../../../packages/engine/dist/index.js'
import { inScratch } from '../scratch.js'
import { type Ending, findAnomalies } from './find-anomalies.js'
import type { Replies, SlowMessage, SlowReport, SlowTask } from './task.js'

export interface SlowRunOptions {
  processes: number
  seconds: number
  seed: number
  replies: Replies
  /** Where the database is made. */
  directory: string | undefined
}

export interface SlowResult {
  reports: SlowReport[]
  anomalies: string[]
  /** Entries of the log. */
  version: number
}

const CHILD = fileURLToPath(new URL('./slow-child.js', import.meta.url))

/**
 * Has processes write to one database, whose log is in a directory's objects, while some replies
 * are late.
 */
export function runSlow(options: SlowRunOptions): Promise<SlowResult> {
  return inScratch('firn-slow-', options.directory, async (directory) => {
    const database = `${directory}/db`
    const location = `file:${database}?log=objects`
    await (await open(location)).close()
    const children: ChildProcess[] = []
    try {
      const ready: Promise<void>[] = []
      const reports: Promise<SlowReport>[] = []
      for (let id = 0; id < options.processes; id++) {
        const { seconds, seed, replies } = options
        const task: SlowTask = { id, directory: database, seed, seconds, replies }
        const child = fork(CHILD, [JSON.stringify(task)], { execArgv: ['--enable-source-maps'] })
        children.push(child)
        const messages = listen(child, id)
        ready.push(messages.ready)
        reports.push(messages.report)
      }
      await Promise.all(ready)
      for (const child of children) child.send('start')
      const all = await Promise.all(reports)
      const { ending, version } = await readEnding(location)
      return { reports: all, anomalies: findAnomalies(all, ending), version }
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  })
}

function listen(
  child: ChildProcess,
  id: number,
): { ready: Promise<void>; report: Promise<SlowReport> } {
  let onReady: () => void = () => {}
  const ready = new Promise<void>((resolve) => {
    onReady = resolve
  })
  const report = new Promise<SlowReport>((resolve, reject) => {
    child.on('message', (message: SlowMessage) => {
      if (message.type === 'ready') onReady()
      else if (message.type === 'report') resolve(message.report)
      else reject(new Error(`process ${id}: ${message.reason}`))
    })
    // After its last message, unlike its exit.
    child.on('disconnect', () => reject(new Error(`process ${id} ended early`)))
  })
  // One that fails ends the other's wait.
  return { ready: Promise.race([ready, report.then(() => {})]), report }
}

async function readEnding(location: string): Promise<{ ending: Ending; version: number }> {
  await using db = await open(location, { mode: 'read' })
  const commits = new Set<string>()
  const lists = new Map<string, readonly string[]>()
  const options = { keys: 'utf8', values: 'json' } as const
  for await (const [key] of db.table('commits', options).scan()) commits.add(key)
  for await (const [key, value] of db.table('lists', options).scan()) {
    lists.set(key, value as string[])
  }
  return { ending: { commits, lists }, version: (await db.stats()).version }
}
