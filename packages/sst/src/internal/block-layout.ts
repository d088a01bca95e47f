/**
 * Layout of a data block before compression (FORMAT.md draws it):
 *
 *   header · common prefix · key lengths · value lengths · kinds · timestamps · key suffixes ·
 *   values
 *
 * A column that would be equal in all rows is left out.
 */
export const BLOCK_HEADER_BYTES = 36

export const AT_FLAGS = 0
export const AT_WIDTHS = 1
export const AT_KIND = 2
export const AT_TIMESTAMP_WIDTH = 3
export const AT_ROWS = 4
export const AT_PREFIX_BYTES = 8
export const AT_SUFFIX_BYTES = 12
export const AT_VALUE_BYTES = 16
export const AT_MIN_TIMESTAMP = 20
export const AT_MAX_TIMESTAMP = 28

/** Two or more rows have the same key. */
export const FLAG_DUPLICATES = 1
/** Rows have different kinds, which a column holds. */
export const FLAG_KINDS = 2
/** Flags of version 1; a reader refuses any other. */
export const KNOWN_FLAGS: number = FLAG_DUPLICATES | FLAG_KINDS
