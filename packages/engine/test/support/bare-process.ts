import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  /** The exit status; `null` after a signal. */
  status: number | null
  stdout: string
  stderr: string
}

/** Where `@firn/engine` is found, in its build. */
const ENGINE = fileURLToPath(new URL('../..', import.meta.url))

/** A process that is still there by then hangs. */
const HANGS_MS = 30_000

const MOST_AT_ONCE = 2
let running = 0
const waiting: (() => void)[] = []

/**
 * Runs a program, an ES module, in a process of its own, as a test runner keeps its own alive. At
 * most two of these run at once. One that hangs is killed: its status is `null`.
 */
export async function runProgram(
  program: string,
  {
    cwd = ENGINE,
    flags = [],
    descriptors,
  }: {
    cwd?: string
    flags?: readonly string[]
    /** Most files that it may have open. */
    descriptors?: number
  } = {},
): Promise<Ended> {
  if (running === MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await new Promise((resolve, reject) => {
      const argv = [process.execPath, ...flags, '--input-type=module', '--eval', program]
      if (descriptors !== undefined) {
        argv.unshift('sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh')
      }
      const [command = '', ...rest] = argv

      const child = spawn(command, rest, {
        cwd,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: HANGS_MS,
        killSignal: 'SIGKILL',
      })
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (data: Buffer) => {
        stdout += data.toString()
      })
      child.stderr.on('data', (data: Buffer) => {
        stderr += data.toString()
      })
      child.on('error', reject)
      child.on('close', (status) => resolve({ status, stdout, stderr }))
    })
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}
