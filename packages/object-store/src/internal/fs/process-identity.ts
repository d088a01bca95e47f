import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'

/** Who made a temporary file or a claim on the lock, as far as others can tell from its name. */
export interface ProcessIdentity {
  /** The same for two processes that see the same process ids: host, boot and pid namespace. */
  readonly machine: string
  readonly pid: number
  /** When the process began, in the kernel's own count; tells it from a later owner of its id. */
  readonly started: string
}

let own: ProcessIdentity | undefined

/** This process. */
export function thisProcess(): ProcessIdentity {
  own ??= {
    machine: createHash('sha256')
      .update(`${os.hostname()}\0${bootId()}\0${pidNamespace()}`)
      .digest('hex')
      .slice(0, 12),
    pid: process.pid,
    started: processStatus(process.pid)?.started ?? '0',
  }
  return own
}

/** `identity` as part of a file name; `parseIdentity` reads it back. */
export function formatIdentity(identity: ProcessIdentity): string {
  return `${identity.machine}.${identity.pid}.${identity.started}`
}

export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [, machine, pid, started] =
    /^([0-9a-f]{12})\.([0-9]{1,15})\.([0-9]{1,20})$/.exec(text) ?? []
  if (machine === undefined || pid === undefined || started === undefined) return undefined
  return { machine, pid: Number(pid), started }
}

/** `unknown` of processes on another machine. */
export type ProcessLife = 'alive' | 'dead' | 'unknown'

/** Whether a process runs. Of processes on other machines nothing is known. */
export function lifeOf(identity: ProcessIdentity): ProcessLife {
  const here = thisProcess()
  if (identity.machine !== here.machine) return 'unknown'
  if (identity.pid === here.pid) return identity.started === here.started ? 'alive' : 'dead'
  try {
    process.kill(identity.pid, 0)
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as { code?: string }).code === 'ESRCH') return 'dead'
  }
  const status = processStatus(identity.pid)
  if (status === undefined) return 'alive'
  // A zombie has an id until its parent asks for its exit status, but will never act again.
  if (status.state === 'Z' || status.state === 'X') return 'dead'
  return status.started === identity.started ? 'alive' : 'dead'
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')
}

function pidNamespace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/** Fields 3 and 22 of Linux's /proc/<pid>/stat (proc_pid_stat(5)). */
function processStatus(pid: number): { state: string; started: string } | undefined {
  const text = readText(`/proc/${pid}/stat`)
  // The second field is the program's name in parentheses, and may hold any of both.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const started = fields[19]
  return state === undefined || started === undefined ? undefined : { state, started }
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
