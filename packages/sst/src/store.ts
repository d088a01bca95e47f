export { type StoreFiles, storeFiles } from './store-files.js'
export type { VersionFilter } from './version-filter.js'
export { wholeSource } from './whole-source.js'
export { type FileOptions, type WriteFilesOptions, writeFiles } from './write-files.js'
