import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Seeds to run one after the other, until one fails. */
export interface Job {
  /** The bug in the code; `undefined`: the unchanged code. */
  mutant: string | undefined
  seeds: readonly number[]
  /** Whether to make the failing run smaller. */
  shrinks: boolean
}

/** The first seed that failed, and why; no seed if all passed. */
export type Outcome = Failed | { seed: undefined }

export interface Failed {
  seed: number
  violation: string
  /** How many decisions are left of its run, if it was made smaller. */
  decisions?: number
}

const CHILD = fileURLToPath(new URL('../../dist/mutants/child.js', import.meta.url))
/** A run takes a tenth of a second; a process that takes this long for all its runs hangs. */
const LONGEST_MS = 1_800_000

/** Runs a job in its own process. Rejects if the process ends without an outcome. */
export function runJob(job: Job): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LONGEST_MS,
    })
    let [output, errors] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output) as Outcome)
      else
        reject(new Error(`${job.mutant ?? 'no mutant'}: ended with ${code ?? signal}: ${errors}`))
    })
  })
}

/** Runs all tasks, this many at a time, and returns their results in order. */
export async function inParallel<T>(
  tasks: readonly (() => Promise<T>)[],
  jobs: number,
): Promise<T[]> {
  const results: T[] = new Array(tasks.length)
  const next = tasks.entries()
  const work = async (): Promise<void> => {
    for (const [i, task] of next) results[i] = await task()
  }
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work))
  return results
}
