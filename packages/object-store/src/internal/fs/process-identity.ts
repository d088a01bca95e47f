import { createHash } from 'node:crypto'
import { isSameProcessSpace, livenessOfPid, ownIdentity } from '@firn/vfs'

/** Who made a temporary file or a claim on the lock, as far as others can tell from its name. */
export interface ProcessIdentity {
  /**
   * Equal for two processes to which process ids and start times mean the same: host, boot, and
   * namespaces. `UNKNOWN_MACHINE` if a process can't read its own.
   */
  readonly machine: string
  readonly pid: number
  /** When the process began, in the kernel's own count; tells it from a later owner of its id. */
  readonly started: string
}

/** The machine of processes that don't know which ids mean the same to others. Never compared. */
const UNKNOWN_MACHINE = '000000000000'

let own: ProcessIdentity | undefined

/** This process. */
export function thisProcess(): ProcessIdentity {
  if (own === undefined) {
    const self = ownIdentity()
    const space = [self.hostname, self.bootId, self.pidNamespace, self.timeNamespace]
    own = {
      machine: isSameProcessSpace(self)
        ? createHash('sha256').update(space.join('\0')).digest('hex').slice(0, 12)
        : UNKNOWN_MACHINE,
      pid: self.pid,
      started: self.startTime === '' ? '0' : self.startTime,
    }
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

/** `unknown` of processes on another machine or in another container, unless it is proven. */
export type ProcessLife = 'alive' | 'dead' | 'unknown'

/** Whether a process runs. `dead` is proven. */
export function lifeOf(
  identity: ProcessIdentity,
  here: ProcessIdentity = thisProcess(),
): ProcessLife {
  if (identity.machine !== here.machine || here.machine === UNKNOWN_MACHINE) return 'unknown'
  return livenessOfPid(identity.pid, identity.started === '0' ? '' : identity.started)
}
