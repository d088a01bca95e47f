/** Kinds of calls. The first group changes the disk. */
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
  /** The length of a write or a read. */
  bytes: number
}

/** The fault that a call meets. */
export interface DiskFault {
  /** The system's error, such as 'EIO'. Absent: the call does less than requested, and says so. */
  code?: 'ENOSPC' | 'EIO'
  /** The share of a write that is done before it fails or ends early, or the share that is read. */
  share?: number
}

/** Calls that take up space, which ENOSPC can meet. */
const TAKES_SPACE: readonly DiskCallKind[] = ['create', 'write', 'make directory', 'link', 'rename']

/** Calls that change the disk. */
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
