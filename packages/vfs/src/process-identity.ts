import fs from 'node:fs'
import os from 'node:os'

/**
 * A process, described so that another process can find out whether it still runs. A field is '' if
 * the system has no such thing, or doesn't let this process read it.
 */
export interface ProcessIdentity {
  /** `process.platform`: which of the other fields can be known. */
  platform: string
  hostname: string
  /** The kernel's id of this boot. Linux only. */
  bootId: string
  /** The pid namespace (the container) in which `pid` counts. Linux only. */
  pidNamespace: string
  /** The time namespace in which `startTime` counts. Linux only. */
  timeNamespace: string
  /** The network namespace, in which abstract sockets are found. Linux only. */
  netNamespace: string
  pid: number
  /** When the process started, in the kernel's ticks since boot. Linux only. */
  startTime: string
}

/** `unknown`: nothing that can be seen from here proves either. */
export type Liveness = 'alive' | 'dead' | 'unknown'

let own: ProcessIdentity | undefined

/** This process. Read once: nothing of it changes while the process lives. */
export function ownIdentity(): ProcessIdentity {
  own ??= {
    platform: process.platform,
    hostname: hostname(),
    bootId: readText('/proc/sys/kernel/random/boot_id').trim(),
    pidNamespace: readLink('/proc/self/ns/pid'),
    timeNamespace: readLink('/proc/self/ns/time'),
    netNamespace: readLink('/proc/self/ns/net'),
    pid: process.pid,
    startTime: statOf('self')?.startTime ?? '',
  }
  return own
}

/** '' if the runtime doesn't let this process ask (Deno, without --allow-sys). */
function hostname(): string {
  try {
    return os.hostname()
  } catch {
    return ''
  }
}

/**
 * Whether a process id means the same process to both. On Linux this needs an equal boot id and an
 * equal pid namespace, and both must be readable. Other systems have neither: there the hostname
 * tells machines apart.
 */
export function isSameProcessSpace(
  other: ProcessIdentity,
  self: ProcessIdentity = ownIdentity(),
): boolean {
  if (other.platform !== self.platform) return false
  if (!hasNamespaces(self)) return other.hostname === self.hostname && self.hostname !== ''
  return (
    other.bootId === self.bootId &&
    self.bootId !== '' &&
    other.pidNamespace === self.pidNamespace &&
    self.pidNamespace !== ''
  )
}

/** Whether `other` describes this process. */
export function isSameProcess(
  other: ProcessIdentity,
  self: ProcessIdentity = ownIdentity(),
): boolean {
  return (
    isSameProcessSpace(other, self) &&
    other.pid === self.pid &&
    other.startTime === self.startTime &&
    other.timeNamespace === self.timeNamespace
  )
}

/** Whether a process runs, by its identity alone. `dead` is proven; whatever isn't is `unknown`. */
export function livenessByIdentity(
  other: ProcessIdentity,
  self: ProcessIdentity = ownIdentity(),
): Liveness {
  if (!isSameProcessSpace(other, self)) return 'unknown'
  const comparable = other.timeNamespace === self.timeNamespace
  return livenessOfPid(other.pid, comparable ? other.startTime : '')
}

/**
 * Whether the process `pid` of this process space runs and, if `startTime` isn't '', is the one
 * that started then.
 */
export function livenessOfPid(pid: number, startTime: string): 'alive' | 'dead' {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if ((error as { code?: unknown }).code === 'ESRCH') return 'dead'
  }
  const stat = seesOwnProcessSpace() ? statOf(pid) : undefined
  if (stat === undefined) return 'alive'
  // A zombie keeps its id until its parent asks for the exit status, but never acts again.
  if (stat.state === 'Z' || stat.state === 'X') return 'dead'
  return startTime === '' || stat.startTime === startTime ? 'alive' : 'dead'
}

/**
 * Whether a process runs outside of all containers, so that the boot id it reads is the kernel's
 * own; some containers are shown another one. The number is the kernel's for its first pid
 * namespace.
 */
export function isOutsideContainers({ pidNamespace }: ProcessIdentity): boolean {
  return pidNamespace === 'pid:[4026531836]'
}

/** Linux has boot ids and namespaces, even if a process isn't allowed to read them. */
export function hasNamespaces({ platform }: ProcessIdentity): boolean {
  return platform === 'linux' || platform === 'android'
}

/**
 * Whether /proc shows the ids that this process knows. It shows those of the namespace in which it
 * was mounted: after `unshare --pid --fork` without `--mount-proc`, the ids of other processes.
 * NSpid lists the ids of a process from that namespace inwards.
 */
function seesOwnProcessSpace(): boolean {
  return /^NSpid:\t\d+$/m.test(readText('/proc/self/status'))
}

/** Fields 3 and 22 of /proc/<pid>/stat; the name before them may hold spaces and parentheses. */
function statOf(pid: number | 'self'): { state: string; startTime: string } | undefined {
  const text = readText(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  return text === '' || state === undefined || startTime === undefined
    ? undefined
    : { state, startTime }
}

function readText(path: string): string {
  try {
    // Only UTF-8 is read by one call. A name that isn't UTF-8 does no harm here.
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
