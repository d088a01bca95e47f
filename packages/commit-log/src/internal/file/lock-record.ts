import { type Owner, parseOwner } from '@firn/vfs'

/** The content of a lock file: JSON, FORMAT.md, "Lock". */
export interface LockRecord {
  format: 1
  state: 'held' | 'released'
  /** Distinguishes two acquisitions by one process. */
  nonce: string
  owner: Owner
  /** The note that the owner left for the next one when it released the lock. */
  note?: unknown
}

export function encodeLockRecord(record: LockRecord): string {
  return `${JSON.stringify(record)}\n`
}

/** Decodes a record; `undefined` for anything else, such as the remains of one after a crash. */
export function decodeLockRecord(text: string): LockRecord | 'future' | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Partial<LockRecord>
  if (typeof record.format !== 'number') return undefined
  if (record.format !== 1) return 'future'
  const { state, nonce } = record
  if (state !== 'held' && state !== 'released') return undefined
  const owner = parseOwner(record.owner)
  if (typeof nonce !== 'string' || owner === undefined) return undefined
  return { ...(record as LockRecord), owner }
}
