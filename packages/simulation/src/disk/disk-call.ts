/** What a call does. The first group changes the disk. */
export type DiskCallKind =
  | 'create'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'sync directory'
  | 'make directory'
  | 'link'
  | 'rename'
  | 'remove'
  | 'set times'
  | 'open'
  | 'read'
  | 'list'
  | 'look up'

/** A call to the disk, as faults see it. */
export interface DiskCall {
  kind: DiskCallKind
  path: string
  /** Of a write or a read. */
  bytes: number
}

/** What a call meets. */
export interface DiskFault {
  /** The error of the system, as 'EIO'. None: it does less than it was asked to, and says so. */
  code?: 'ENOSPC' | 'EIO'
  /** The share of a write that is done before it fails or ends early, or that is read. */
  share?: number
}

/** Calls that take up space: ENOSPC can meet them. */
const TAKES_SPACE: readonly DiskCallKind[] = ['create', 'write', 'make directory', 'link', 'rename']

/** Calls after which the disk isn't what it was. */
const CHANGES: readonly DiskCallKind[] = [
  ...TAKES_SPACE,
  'truncate',
  'sync',
  'sync directory',
  'remove',
]

export function takesSpace({ kind }: DiskCall): boolean {
  return TAKES_SPACE.includes(kind)
}

export function changesDisk({ kind }: DiskCall): boolean {
  return CHANGES.includes(kind)
}
