import fs from 'node:fs'
import os from 'node:os'

/** Who holds a lock, told so that another process can see whether it still lives. */
export interface ProcessIdentity {
  hostname: string
  /** The kernel's id of this boot, '' where there is none to be had. */
  bootId: string
  /** The pid namespace (the container) in which `pid` counts, '' where there are none. */
  pidNamespace: string
  pid: number
  /** When the process started, in the kernel's ticks since boot, '' where that can't be known. */
  startTime: string
}

let own: ProcessIdentity | undefined

/** This process. Read once: nothing of it changes while the process lives. */
export function ownIdentity(): ProcessIdentity {
  own ??= {
    hostname: os.hostname(),
    bootId: read('/proc/sys/kernel/random/boot_id').trim(),
    pidNamespace: readLink('/proc/self/ns/pid'),
    pid: process.pid,
    startTime: processStat(process.pid)?.startTime ?? '',
  }
  return own
}

export type Liveness = 'alive' | 'dead' | 'elsewhere'

/**
 * Whether the process that called itself `other` lives: `elsewhere` where this host can't tell.
 * FORMAT.md, "Lock", gives the rules and what they take for granted.
 */
export function livenessOf(
  other: ProcessIdentity,
  self: ProcessIdentity = ownIdentity(),
): Liveness {
  if (other.hostname !== self.hostname) return 'elsewhere'
  if (other.bootId !== self.bootId) return 'dead'
  if (other.pidNamespace !== self.pidNamespace) return 'dead'
  if (!exists(other.pid)) return 'dead'
  const stat = processStat(other.pid)
  if (stat === undefined) return 'alive'
  if (stat.state === 'Z' || stat.state === 'X') return 'dead'
  return other.startTime === '' || stat.startTime === other.startTime ? 'alive' : 'dead'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as { code?: unknown }).code !== 'ESRCH'
  }
}

/** Fields 3 and 22 of /proc/<pid>/stat; the name before them may hold spaces and parentheses. */
function processStat(pid: number): { state: string; startTime: string } | undefined {
  const text = read(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  return text === '' || state === undefined || startTime === undefined
    ? undefined
    : { state, startTime }
}

function read(path: string): string {
  try {
    // Only UTF-8 is read by one call; a name that isn't UTF-8 matters to nobody here.
    return fs.readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function readLink(path: string): string {
  try {
    return fs.readlinkSync(path)
  } catch {
    return ''
  }
}
