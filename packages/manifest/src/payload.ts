/**
 * Persisted numbers of an entry's payload: a number never changes its meaning and is never reused.
 * The layout is in FORMAT.md, "Payload".
 */

/** First byte of a payload, unless it is empty. 0x80 and above belong to @firn/commit-log. */
export const PAYLOAD_FORMAT = 1

/** Bytes before an edit's body: its type (u8) and the body's length (u32). */
export const EDIT_HEADER_BYTES = 5

export const EDIT_CREATE_DATABASE = 1
export const EDIT_RECORDS = 2
export const EDIT_CREATE_TABLE = 3
export const EDIT_ALTER_TABLE = 4
export const EDIT_DROP_TABLE = 5
export const EDIT_ADD_FILES = 6
export const EDIT_FLUSH = 7
export const EDIT_COMPACT = 8
export const EDIT_GC_FLOOR = 9
export const EDIT_PIN = 10
export const EDIT_UNPIN = 11
export const EDIT_CHECKPOINT = 12
