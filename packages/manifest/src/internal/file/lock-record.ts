import type { ProcessIdentity } from './process-identity.js'

/** What a lock file says: JSON, FORMAT.md, "Lock". */
export interface LockRecord {
  format: 1
  state: 'held' | 'released'
  /** Tells two acquisitions by one process apart. */
  nonce: string
  owner: ProcessIdentity
  /** What the owner left for the next one when it released the lock. */
  note?: unknown
}

export function encodeLockRecord(record: LockRecord): string {
  return `${JSON.stringify(record)}\n`
}

/** `undefined` for anything but a record: what a machine that crashed left of one. */
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
  const { owner, state, nonce } = record
  if (state !== 'held' && state !== 'released') return undefined
  if (typeof nonce !== 'string' || typeof owner !== 'object' || owner === null) return undefined
  const texts = [owner.hostname, owner.bootId, owner.pidNamespace, owner.startTime]
  if (!texts.every((text) => typeof text === 'string')) return undefined
  if (!Number.isSafeInteger(owner.pid) || owner.pid <= 0) return undefined
  return record as LockRecord
}
