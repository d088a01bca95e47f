import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemEnv } from '@firn/env'

export interface ServiceProcessOptions {
  /** The name in messages. */
  name: string
  command: string
  args: readonly string[]
  /** Called again and again until it returns true. A rejection counts as false. */
  isReady: () => Promise<boolean>
  /** Default 20,000. */
  startTimeoutMs?: number
  /** How long it may take to end when asked to, before it is killed. Default 10,000. */
  stopTimeoutMs?: number
  cwd?: string
  env?: NodeJS.ProcessEnv
}

/** A program that was started and is ready, until `stop`. */
export interface ServiceProcess {
  readonly pid: number
  /** Returns the end of what it wrote to its standard output and error. */
  output(): string
  /** Ends it, and waits until it has ended. Idempotent. */
  stop(): Promise<void>
}

const POLL_MS = 25
const OUTPUT_CHARACTERS = 8_192

// The service is the child of a shell whose standard input stays open while this process lives.
// However this process ends, even by a kill, the input ends, and then the service.
const GUARD = `
exec 3<&0
"$@" 3<&- </dev/null &
service=$!
{ cat <&3 >/dev/null; kill "$service"; } 2>/dev/null &
guard=$!
exec 3<&-
wait "$service"
status=$?
kill "$guard" 2>/dev/null
exit "$status"
`

/**
 * Starts a program and waits until it is ready. A program that doesn't become ready is stopped
 * again.
 */
export async function startProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const { name, command, args, isReady, startTimeoutMs = 20_000, stopTimeoutMs = 10_000 } = options
  const child = spawn('/bin/sh', ['-c', GUARD, 'firn-service', command, ...args], {
    // A process group of its own, so that Ctrl-C reaches only us, and we stop it in order.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  // A service that ended by itself closes its end first.
  child.stdin.on('error', () => {})
  const exited = once(child, 'exit')
  exited.catch(() => {})
  if (child.pid === undefined)
    throw new Error(`${name}: ${command} can't be started: ${await why(exited)}`)
  const { pid } = child
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= stopChild(child, exited, stopTimeoutMs)
    return stopping
  }

  const startedAt = systemEnv.monotonic()
  while (!(await asked(isReady))) {
    const late = systemEnv.monotonic() - startedAt > startTimeoutMs
    if (late || hasEnded(child)) {
      await stop()
      const what = late ? `was not ready within ${startTimeoutMs} ms` : 'ended at once'
      throw new Error(`${name} ${what}. ${command} wrote:\n${output}`)
    }
    await systemEnv.sleep(POLL_MS)
  }
  return { pid, output: () => output, stop }
}

/** Whether the service says that it is ready, within a second. */
function asked(isReady: () => Promise<boolean>): Promise<boolean> {
  const tooLate = systemEnv.sleep(1000, undefined, { background: true }).then(() => false)
  return Promise.race([isReady().catch(() => false), tooLate])
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function stopChild(
  child: ChildProcess,
  exited: Promise<unknown>,
  timeoutMs: number,
): Promise<void> {
  child.stdin?.end()
  if (hasEnded(child) || child.pid === undefined) return
  const gone = new AbortController()
  const tooLate = systemEnv.sleep(timeoutMs, gone.signal).then(
    () => true,
    () => false,
  )
  const ended = exited.then(() => false)
  if (await Promise.race([ended, tooLate])) {
    // Kills the group: killing only the shell would leave its child.
    process.kill(-child.pid, 'SIGKILL')
    await ended
  }
  gone.abort()
}

async function why(failure: Promise<unknown>): Promise<string> {
  return failure.then(
    () => 'it ended',
    (error: unknown) => String(error),
  )
}
