export { DiskCache, type DiskCacheOptions, type DiskCacheStats } from './disk-cache.js'
export type { CacheFiles } from './internal/disk/cache-files.js'
