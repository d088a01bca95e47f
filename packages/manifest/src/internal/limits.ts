// Bounds that both writer and reader assert. FORMAT.md, "Limits".

/** All table ids are below this. */
export const MAX_TABLE_ID = 0xffffffff
/** Bytes of the name of a table, a pin or a statistics collector, in UTF-8. */
export const MAX_NAME_BYTES = 1024
/** Bytes of a table's options as JSON. */
export const MAX_OPTIONS_BYTES = 65_536
/** Bytes of an object's key. */
export const MAX_OBJECT_KEY_BYTES = 1024
/** Bytes of a file's id: 16 digits, a hyphen and a ULID, with some room. */
export const MAX_FILE_ID_BYTES = 64
/** Levels of a table: 1 to 6. */
export const MAX_LEVEL = 6
