import type { RecordKind } from './record.js'

/** The cursor is on a record; its fields are set. */
export const POSITIONED = 1
/** The cursor ran off the end in its direction. */
export const END = 0
/** The move needs I/O: await `load()`, which completes the move. */
export const PENDING = -1

export type CursorStatus = typeof POSITIONED | typeof END | typeof PENDING

/**
 * A cursor over versioned records in internal order: user key ascending, then timestamp descending
 * (newest first). A reverse cursor yields exactly the reverse.
 *
 * The hot path is synchronous: fields are plain data, and `next` creates no promise and no garbage.
 * The next move may reuse the arrays behind the fields, unless `stable` says that they keep their
 * content and may be handed out to users as views. After a move the cursor never reads the previous
 * record's arrays again, so users may overwrite what they got.
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
  /** Moves to the first record in this cursor's direction. */
  first(): CursorStatus
  /**
   * Forward: moves to the first record with a key ≥ the bytes `[start, end)`, > if not inclusive.
   * Reverse: moves to the last record, in internal order, with a key ≤ them, < if not inclusive.
   */
  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus
  next(): CursorStatus
  /** Completes the move that returned `PENDING`. */
  load(): Promise<CursorStatus>
  /** Releases buffers and pins. Idempotent. */
  close(): void
}
