import { createHash } from 'node:crypto'
import {
  isSameProcessSpace,
  type Liveness,
  livenessOfPid,
  ownIdentity,
  type ProcessIdentity,
} from './process-identity.js'

/** A process identity that is short enough for a file name: `<machine>.<pid>.<started>`. */
export interface ProcessTag {
  /**
   * Equal for two processes if process ids and start times mean the same to both: a hash of host,
   * boot and namespaces. `UNKNOWN_MACHINE` if a process can't read its own.
   */
  readonly machine: string
  readonly pid: number
  /** When the process began, in the kernel's ticks since boot; '0' if that isn't known. */
  readonly started: string
}

/** The machine of processes that can't tell which ids mean the same to others. Never compared. */
const UNKNOWN_MACHINE = '000000000000'

const tags: WeakMap<ProcessIdentity, ProcessTag> = new WeakMap()

export function tagOf(identity: ProcessIdentity): ProcessTag {
  const known = tags.get(identity)
  if (known !== undefined) return known
  const { hostname, bootId, pidNamespace, timeNamespace, pid, startTime } = identity
  const space = [hostname, bootId, pidNamespace, timeNamespace].join('\0')
  const tag = {
    machine: isSameProcessSpace(identity, identity)
      ? createHash('sha256').update(space).digest('hex').slice(0, 12)
      : UNKNOWN_MACHINE,
    pid,
    started: startTime === '' ? '0' : startTime,
  }
  tags.set(identity, tag)
  return tag
}

/** A tag as text; `parseTag` reads it back. */
export function formatTag({ machine, pid, started }: ProcessTag): string {
  return `${machine}.${pid}.${started}`
}

/** Parses a tag; `undefined` for other text. */
export function parseTag(text: string): ProcessTag | undefined {
  const [, machine, pid, started] =
    /^([0-9a-f]{12})\.([0-9]{1,15})\.([0-9]{1,20})$/.exec(text) ?? []
  if (machine === undefined || pid === undefined || started === undefined) return undefined
  return { machine, pid: Number(pid), started }
}

/**
 * Whether the process of a tag runs. `dead` is proven. `unknown` for processes on another machine
 * or in another container.
 */
export function livenessOfTag(tag: ProcessTag, here: ProcessTag = tagOf(ownIdentity())): Liveness {
  if (tag.machine !== here.machine || here.machine === UNKNOWN_MACHINE) return 'unknown'
  return livenessOfPid(tag.pid, tag.started === '0' ? '' : tag.started)
}
