import { isOneKernelOnly, type Place, placeOf } from './place.js'
import {
  hasNamespaces,
  isOutsideContainers,
  isSameProcessSpace,
  type Liveness,
  livenessByIdentity,
  ownIdentity,
  type ProcessIdentity,
} from './process-identity.js'
import { ask, listenFor, parseAddress, type SocketKind } from './socket.js'

// How a process finds out whether the owner of a directory still runs.
//
// 1. An owner listens on a UNIX socket (a named pipe on Windows). The kernel ends the socket with
//    the process, or with the worker thread that made it, whatever ends them.
// 2. A process that wants to know connects. If that succeeds, the owner lives. It also succeeds for
//    one that is stopped, since the kernel queues connections for it.
// 3. A socket that refuses proves that its owner is gone if it can only be of this kernel
//    (`provesDeath`). A socket file that is missing proves nothing: anything may have removed it.
// 4. An owner of an earlier boot is gone if the file system can't be in use by another machine.
// 5. Otherwise the process id decides, if it means the same to both sides.
// 6. Whatever is left is unknown. In particular: other machines on a network file system.

/**
 * The owner of a directory, as JSON. A field is '' if the system has no such thing, or hides it.
 */
export interface Owner extends ProcessIdentity, Place {
  /** The address of its socket; '' if none could be made. */
  socket: string
}

/** What other processes see of an owner while it is one. */
export interface LifeSign {
  readonly owner: Owner
  /**
   * Removes the sign's files from the directory. The owner must record that it is none any more:
   * its thread may still be alive to other processes.
   */
  end(): void
}

export interface AnnounceOptions {
  /** Of the directory, if it is known already. */
  device?: string
  /** Default: this process. Tests pose as others. */
  identity?: ProcessIdentity
}

/**
 * Announces this process or worker thread as the owner of a directory, without keeping it running.
 * `name` is a file name that is never used again: 1 to 64 letters, digits, '_', '.' and '-'. If no
 * socket can be made, the owner has none, and its process id has to do. Throws the system's error
 * if there is no such directory.
 */
export async function announce(
  directory: string,
  name: string,
  { device, identity = ownIdentity() }: AnnounceOptions = {},
): Promise<LifeSign> {
  const place = placeOf(directory, device)
  const listening = await listenFor(directory, name, identity)
  const socket = listening?.address ?? ''
  return {
    owner: { ...identity, ...place, socket },
    end: () => listening?.end(),
  }
}

/**
 * Whether the owner of a directory lives. `dead` is proven. Throws the system's error if there is
 * no such directory, or no descriptor left to ask with.
 */
export async function livenessOf(directory: string, owner: Owner): Promise<Liveness> {
  const here: Here = { ...ownIdentity(), ...placeOf(directory) }
  const address = parseAddress(owner.socket)
  // Sockets of another system aren't found here under any circumstances.
  if (address !== undefined && owner.platform === here.platform) {
    const answer = await ask(directory, address.kind, address.name)
    if (answer === 'accepted') return 'alive'
    if (answer === 'refused' && provesDeath(address.kind, owner, here)) return 'dead'
  }
  if (isOfEarlierBoot(owner, here)) return 'dead'
  return livenessByIdentity(owner, here)
}

/** The asking process, and how it sees the directory. */
export type Here = Omit<Owner, 'socket'>

/** Whether a refused connection proves that the owner is gone. */
export function provesDeath(kind: SocketKind, owner: Owner, here: Here): boolean {
  const sameBoot = owner.bootId === here.bootId && here.bootId !== ''
  switch (kind) {
    case 'abstract':
      return sameBoot && owner.netNamespace === here.netNamespace && here.netNamespace !== ''
    case 'directory':
      // A socket is found only through the mounted file system that it was made in.
      return (sameBoot && owner.device === here.device) || isOneKernelToBoth(owner, here)
    case 'path':
      // On these systems a process that is stopped refuses too, once its queue is full.
      return isSameProcessSpace(owner, here) && owner.pid === here.pid
    case 'pipe':
      return isSameProcessSpace(owner, here)
  }
}

/**
 * Whether the owner ran before this boot, on a kernel that had to be gone before this one could
 * have the file system. The boot ids must be the kernels' own.
 */
export function isOfEarlierBoot(owner: Owner, here: Here): boolean {
  return (
    owner.bootId !== here.bootId &&
    owner.bootId !== '' &&
    here.bootId !== '' &&
    isOutsideContainers(owner) &&
    isOutsideContainers(here) &&
    isOneKernelToBoth(owner, here)
  )
}

/** Both must see it so: a directory that is ext4 to a file server is NFS to its clients. */
function isOneKernelToBoth(owner: Owner, here: Here): boolean {
  return (
    hasNamespaces(here) &&
    owner.fileSystem === here.fileSystem &&
    isOneKernelOnly(owner) &&
    isOneKernelOnly(here)
  )
}

/**
 * Parses `value` as an owner, with '' for every field that isn't text; `undefined` if it is none.
 */
export function parseOwner(value: unknown): Owner | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Partial<Record<keyof Owner, unknown>>
  const { pid } = fields
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined
  const text = (field: unknown): string => (typeof field === 'string' ? field : '')
  return {
    platform: text(fields.platform),
    hostname: text(fields.hostname),
    bootId: text(fields.bootId),
    pidNamespace: text(fields.pidNamespace),
    timeNamespace: text(fields.timeNamespace),
    netNamespace: text(fields.netNamespace),
    pid: pid as number,
    startTime: text(fields.startTime),
    fileSystem: text(fields.fileSystem),
    device: text(fields.device),
    socket: text(fields.socket),
  }
}
