/**
 * The persisted numbers of FORMAT.md. They never change their meaning: a release that needs another
 * meaning takes another number and, if old readers must refuse it, another version.
 */

/** Format version that this release writes, and the newest that it reads. */
export const FORMAT_VERSION = 1

/** Last eight bytes of every file: `FIRNSST\n`. */
export const MAGIC: Uint8Array = Uint8Array.of(0x46, 0x49, 0x52, 0x4e, 0x53, 0x53, 0x54, 0x0a)

/** Longest key in bytes: 64 KiB of user key, and room for an engine's prefix. */
export const MAX_KEY_BYTES: number = 128 * 1024
/** Longest value in bytes. */
export const MAX_VALUE_BYTES: number = 256 * 1024 * 1024
/** Longest file id in UTF-8 bytes. */
export const MAX_FILE_ID_BYTES = 1024
/** Most rows of a data block. Bounds what a reader allocates for offsets. */
export const MAX_BLOCK_ROWS = 65_536
/** Longest block before compression. */
export const MAX_BLOCK_BYTES: number = MAX_VALUE_BYTES + 2 * MAX_KEY_BYTES + 4096
/** Longest index, filter or properties block before compression. */
export const MAX_META_BYTES: number = 1024 * 1024 * 1024
/** Most bytes of names and summaries of a file's statistics, together. */
export const MAX_STATISTICS_BYTES: number = 16 * 1024 * 1024
