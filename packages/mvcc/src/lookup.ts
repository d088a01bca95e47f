/** No version of the key can be seen at the timestamp. */
export const ABSENT = 0
/** The newest version that can be seen was found. */
export const FOUND = 1
/** What the answer is in isn't in memory: load it, then ask again. */
export const NOT_RESIDENT = -1

/** How a search for one key ended. */
export type LookupStatus = typeof ABSENT | typeof FOUND | typeof NOT_RESIDENT
