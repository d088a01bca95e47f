export { BlockCache, type BlockCacheStats, type Reservation } from './block-cache.js'
export { CachedFile, type LoadOptions } from './cached-file.js'
export type { Sized } from './sized.js'
