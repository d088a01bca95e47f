import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** How a program ended. */
export interface Ended {
  /** The exit status; `null` after a signal. */
  status: number | null
  stdout: string
  stderr: string
}

export interface ProgramOptions {
  /** The directory from which `@firn/…` names are resolved: `import.meta.dirname` of the test. */
  from: string
  /** The working directory. Default: `from`. */
  cwd?: string
  /** Flags of Node's. */
  flags?: readonly string[]
  /** Environment variables besides those of this process. */
  env?: NodeJS.ProcessEnv
  /** Most files that the program may have open. */
  descriptors?: number
}

/** A program that hasn't ended by then is considered hung. */
const HANGS_MS = 30_000

const MOST_AT_ONCE = 2
let running = 0
const waiting: (() => void)[] = []

/**
 * Runs a program, an ES module, in a process of its own, since a test runner keeps its process
 * alive whatever happens. At most two run at once. One that hangs is killed: its status is `null`.
 */
export async function runProgram(source: string, options: ProgramOptions): Promise<Ended> {
  if (running === MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await run(resolveNames(source, options.from), options)
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

/** Returns what a program printed. Rejects if it failed or complained. */
export async function outputOf(source: string, options: ProgramOptions): Promise<string> {
  const { status, stdout, stderr } = await runProgram(source, options)
  if (status !== 0 || stderr !== '') {
    throw new Error(`the program ended with status ${status}:\n${stdout}${stderr}`)
  }
  return stdout
}

/** Replaces imports of `@firn/…` names by file URLs, which resolve from any working directory. */
function resolveNames(source: string, from: string): string {
  const { resolve } = createRequire(path.join(from, 'program.js'))
  return source.replace(
    /(\bfrom |\bimport |\bimport\()'(@firn\/[\w/-]+)'/g,
    (_, before: string, name: string) => `${before}'${pathToFileURL(resolve(name))}'`,
  )
}

function run(
  source: string,
  { from, cwd = from, flags = [], env, descriptors }: ProgramOptions,
): Promise<Ended> {
  const argv = [process.execPath, ...flags, '--input-type=module', '--eval', source]
  if (descriptors !== undefined) {
    argv.unshift('sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh')
  }
  const [command = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: HANGS_MS,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}
