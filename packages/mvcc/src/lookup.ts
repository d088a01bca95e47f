/** No version of the key is visible at the timestamp. */
export const ABSENT = 0
/** The newest visible version was found. */
export const FOUND = 1
/** The answer isn't in memory: load it, then ask again. */
export const NOT_RESIDENT = -1

/** The outcome of a search for one key. */
export type LookupStatus = typeof ABSENT | typeof FOUND | typeof NOT_RESIDENT
