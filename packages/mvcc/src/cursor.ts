import type { RecordKind } from './record.js'

/** The cursor stands on a record: its fields are set. */
export const POSITIONED = 1
/** The cursor ran off the end in its direction. */
export const END = 0
/** The move needs I/O: await `load()`, which completes it. */
export const PENDING = -1

export type CursorStatus = typeof POSITIONED | typeof END | typeof PENDING

/**
 * A cursor over versioned records in internal order: user key ascending, then timestamp descending
 * (newest first). A reverse cursor yields exactly the reverse of that.
 *
 * The hot path is synchronous: fields are plain data, `next` makes no promise and no garbage.
 * The arrays behind the fields may be reused by the next move, unless `stable` says that they
 * stay as they are and may be handed out to users as views. Once a move is over, the cursor doesn't
 * read them any more: users may overwrite what they were given.
 */
export interface RecordCursor {
  readonly reverse: boolean
  readonly stable: boolean
  keyBytes: Uint8Array
  keyStart: number
  keyEnd: number
  timestamp: number
  kind: RecordKind
  valueBytes: Uint8Array
  valueStart: number
  valueEnd: number
  /** To the first record in this cursor's direction. */
  first(): CursorStatus
  /**
   * Forward: to the first record with a key ≥ the bytes `[start, end)` (> when not inclusive).
   * Reverse: to the last record, in internal order, with a key ≤ them (< when not inclusive).
   */
  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus
  next(): CursorStatus
  /** Completes the move that returned `PENDING`. */
  load(): Promise<CursorStatus>
  /** Releases buffers and pins. Idempotent. */
  close(): void
}
